import { describe, expect, test } from "@jest/globals";
import type { RefusalReason } from "../lib/log.ts";
import { clock } from "./support/clock.ts";
import { createForgery, header } from "./support/forgery.ts";
import { log } from "./support/log.ts";
import { cookieOf } from "./support/pair.ts";
import { startService } from "./support/service.ts";
import { buildToken, foreignSigner } from "./support/token.ts";

const service = await startService();
const { sandbox } = service;
const { pair, withClaims, withHeader } = await createForgery(service);
const last = () => log.entries().at(-1);
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

describe("the line of a refused access token says why, so that forgery and ordinary expiry are told apart", () => {
  test.each<[RefusalReason, () => string]>([
    ["expired", () => withClaims({ iat: clock.now - 900, exp: clock.now - 6 })],
    ["wrong signature", () => buildToken(header, pair.claims, foreignSigner("EdDSA"))],
    ["wrong issuer", () => withClaims({ iss: "https://evil.example" })],
    ["wrong audience", () => withClaims({ aud: "evil" })],
    ["unknown key", () => withHeader({ kid: "hunter2" })],
    ["unexpected header", () => withHeader({ jku: "https://hunter2.example" })],
    ["claim refused", () => withClaims({ jti: undefined })],
    ["claims of a wrong type", () => withClaims({ email: undefined })],
    ["lives too long", () => withClaims({ exp: clock.now + 86_000 })],
    ["issued in the future", () => withClaims({ iat: clock.now + 60 })],
    ["not a compact JWS", () => "hunter2"],
  ])("%s", async (reason, createToken) => {
    await sandbox.movies(bearer(createToken()));
    expect(last()).toMatchObject({ event: "authn_token_invalid", code: "invalid_token", reason });
    expect(JSON.stringify(last())).not.toContain("hunter2");
    expect(last()).not.toHaveProperty("errors");
  });

  test("at refresh, too, which forgives expiry alone", async () => {
    const { refreshToken } = await service.logIn();
    const token = withClaims({ aud: "evil" });
    await sandbox.refresh({ cookies: [cookieOf({ token, refreshToken })] });
    expect(last()).toMatchObject({ code: "invalid_jwt_token", reason: "wrong audience" });
  });

  test("ended by the operator", async () => {
    const raised = service.createSandbox({ SESSIONS_NOT_BEFORE: String(clock.now + 1) });
    const { cookies } = await service.logIn();
    await raised.movies({ cookies });
    expect(last()).toMatchObject({ code: "invalid_token", reason: "session ended by the operator" });
  });

  test("where routes look at the session, that it has been ended", async () => {
    const { cookies } = await service.logIn();
    await sandbox.logout({ cookies });
    await sandbox.deleteAccount({ cookies, body: { password: "not looked at any more" } });
    expect(last()).toMatchObject({ code: "invalid_token", reason: "session gone" });
  });
});

describe("why somebody was signed out is found by user and session: the line of a refused refresh has both", () => {
  /** What the line of the login says of the session. */
  const openSession = async () => {
    const pair = await service.logIn();
    const { userId, sessionHash }: { [name: string]: unknown } = last() ?? {};
    expect([userId, sessionHash]).toEqual([pair.key.userId, expect.stringMatching(/^[\w-]{43}$/)]);
    return { pair, session: { userId, sessionHash } };
  };

  test("a session that was ended", async () => {
    const { pair, session } = await openSession();
    await sandbox.logout({ cookies: pair.cookies });
    await service.refresh(pair);
    expect(last()).toMatchObject({ event: "session_expired", reason: "session gone", ...session });
  });

  test("a session that was not used for a day", async () => {
    const { pair, session } = await openSession();
    clock.advance(86_400);
    await service.refresh(pair);
    expect(last()).toMatchObject({ event: "session_expired", reason: "session expired", ...session });
  });

  test("a session at its maximum age", async () => {
    const { pair, session } = await openSession();
    const short = service.createSandbox({ SESSION_MAX_AGE_SECONDS: "86400" });
    clock.advance(86_400);
    await service.refresh(pair, { as: short });
    expect(last()).toMatchObject({
      event: "session_expired",
      reason: "session at its maximum age",
      ...session,
    });
  });

  test("a session from before SESSIONS_NOT_BEFORE", async () => {
    const { pair, session } = await openSession();
    const raised = service.createSandbox({ SESSIONS_NOT_BEFORE: String(clock.now + 1) });
    await service.refresh(pair, { as: raised });
    const reason = "session ended by the operator";
    expect(last()).toMatchObject({ event: "session_expired", reason, ...session });
  });

  test("a replay", async () => {
    const { pair, session } = await openSession();
    await service.rotate(pair);
    clock.advance(10);
    await service.refresh(pair);
    expect(last()).toMatchObject({ event: "authn_token_reuse", code: "token_expired", ...session });
  });

  test("a genuine access token with another refresh token", async () => {
    const { pair, session } = await openSession();
    const { refreshToken } = await service.logIn();
    await sandbox.refresh({ cookies: [cookieOf({ token: pair.token, refreshToken })] });
    expect(last()).toMatchObject({ code: "invalid_refresh_token", ...session });
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
