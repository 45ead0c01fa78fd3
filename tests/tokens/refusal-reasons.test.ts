import { describe, expect, test } from "@jest/globals";
import type { RefusalReason } from "../../lib/events.ts";
import { clock } from "../support/clock.ts";
import { createForgery, header } from "../support/forgery.ts";
import { log } from "../support/log.ts";
import { cookieOf, type Pair } from "../support/pair.ts";
import type { Environment } from "../support/sandbox.ts";
import { startService } from "../support/service.ts";
import { buildToken, foreignSigner } from "../support/token.ts";

const service = await startService();
const { sandbox } = service;
const { pair, withClaims, withHeader } = await createForgery(service);
const last = () => log.entries().at(-1);

// Every reason is in lib/tokens/verify-access-token.test.ts.
describe("the line of a refused access token says why, so that forgery and ordinary expiry are told apart", () => {
  test.each<[RefusalReason, () => string]>([
    ["expired", () => withClaims({ iat: clock.now - 900, exp: clock.now - 6 })],
    ["wrong signature", () => buildToken(header, pair.claims, foreignSigner("EdDSA"))],
    ["unknown key", () => withHeader({ kid: "hunter2" })],
  ])("%s", async (reason, createToken) => {
    await sandbox.movies({ headers: { authorization: `Bearer ${createToken()}` } });
    expect(last()).toMatchObject({ event: "authn_token_invalid", code: "invalid_token", reason });
    expect(JSON.stringify(last())).not.toContain("hunter2");
    expect(last()).not.toHaveProperty("errors");
  });

  test("at refresh, too, which forgives expiry alone", async () => {
    const { refreshToken } = await service.logIn();
    await sandbox.refresh({ cookies: [cookieOf({ token: withClaims({ aud: "evil" }), refreshToken })] });
    expect(last()).toMatchObject({ code: "invalid_jwt_token", reason: "wrong audience" });
  });

  test("ended by the operator; where routes look at the session, that it has been ended", async () => {
    const { cookies } = await service.logIn();
    await service.createSandbox({ SESSIONS_NOT_BEFORE: String(clock.now + 1) }).movies({ cookies });
    expect(last()).toMatchObject({ code: "invalid_token", reason: "session ended by the operator" });
    await sandbox.logout({ cookies });
    await sandbox.deleteAccount({ cookies, body: { password: "not looked at any more" } });
    expect(last()).toMatchObject({ code: "invalid_token", reason: "session gone" });
  });
});

describe("why somebody was signed out is found by user and session: the line of a refused refresh has both", () => {
  const day = 86_400;
  const future = { SESSIONS_NOT_BEFORE: String(clock.now + 9 * day) };
  const over = (reason: RefusalReason) => ({ event: "session_expired", reason });
  const wait = async () => clock.advance(day);
  const replace = async (spent: Pair) => {
    await service.rotate(spent);
    clock.advance(10);
  };
  const mix = async (own: Pair) => {
    const { refreshToken } = await service.logIn();
    own.cookies = [cookieOf({ token: own.token, refreshToken })];
  };
  test.each<[what: string, line: object, end: (pair: Pair) => Promise<unknown>, settings?: Environment]>([
    ["ended", over("session gone"), ({ cookies }) => sandbox.logout({ cookies })],
    ["not used for a day", over("session expired"), wait],
    ["at its maximum age", over("session at its maximum age"), wait, { SESSION_MAX_AGE_SECONDS: `${day}` }],
    ["before SESSIONS_NOT_BEFORE", over("session ended by the operator"), async () => {}, future],
    ["replayed", { event: "authn_token_reuse", code: "token_expired" }, replace],
    ["asked for with another's refresh token", { code: "invalid_refresh_token" }, mix],
  ])("a session that was %s", async (_, line, end, settings = {}) => {
    const own = await service.logIn();
    const { userId, sessionHash }: { [name: string]: unknown } = last() ?? {};
    expect([userId, sessionHash]).toEqual([own.key.userId, expect.stringMatching(/^[\w-]{43}$/)]);
    await end(own);
    await service.refresh(own, { as: service.createSandbox(settings) });
    expect(last()).toMatchObject({ ...line, userId, sessionHash });
  });

  test("but nobody's, where the access token is not genuine", async () => {
    const { refreshToken, key } = await service.logIn();
    const [head, claims] = withClaims({ sub: key.userId }).split(".");
    const token = `${head}.${claims}.${"A".repeat(86)}`;
    await sandbox.refresh({ cookies: [cookieOf({ token, refreshToken })] });
    expect(last()).toMatchObject({ code: "invalid_jwt_token", reason: "wrong signature" });
    expect(JSON.stringify(last())).not.toContain(key.userId);
  });
});
