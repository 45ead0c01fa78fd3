import { describe, expect, test } from "@jest/globals";
import type { ApiResponse } from "../../lib/http/response.ts";
import { createRefreshToken } from "../../lib/tokens/refresh-token.ts";
import { bodyOf, expectProblem, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { challengeOf, createDeviceKey } from "../support/device-key.ts";
import { fail, loseAnswer } from "../support/faults.ts";
import { log } from "../support/log.ts";
import { startMailbox } from "../support/mailbox.ts";
import { type Pair, pairOf } from "../support/pair.ts";
import { startService } from "../support/service.ts";

const service = await startService();
const { database, wire, expectRequests } = service;
const mailbox = await startMailbox(service);
const settings = { DEVICE_BOUND_SESSIONS: "on" };
const sandbox = service.createSandbox(settings);
const as = sandbox;
const browser = createDeviceKey();
const thief = createDeviceKey();
const marked = "auth-cookie-bound=1";
const update = "UpdateItem sessions";
const read = "GetItem sessions";

async function logIn(headers: Record<string, string> = {}) {
  const { email, password } = await service.addAccount();
  const response = await sandbox.login({ body: { email, password }, headers });
  return {
    pair: pairOf(response),
    challenge: challengeOf(response) ?? "",
    response,
    account: { email, password },
  };
}

const send = ({ cookies }: Pair, headers: Record<string, string>) =>
  sandbox.proveDevice({ cookies, headers });

/** A session that this file's browser has bound, and what that signs next. */
async function bound(headers?: Record<string, string>) {
  const { pair, challenge, account } = await logIn(headers);
  const response = await send(pair, browser.bind(challenge));
  expect(response.statusCode).toBe(200);
  return { pair, challenge: challengeOf(response) ?? "", account };
}

/** Has the browser renew its pair, and tells what it signs next. */
async function renew(pair: Pair, challenge: string) {
  const response = await send(pair, browser.renew(challenge));
  return { pair: pairOf(response), challenge: challengeOf(response) ?? "", response };
}

/** Asserts that a browser is told what to sign, and gives it. */
function expectAsked(response: ApiResponse): string {
  const { "secure-session-challenge": sent = "", ...headers } = response.headers;
  expect(sent).toMatch(/^"[\w-]{115}";id="auth"$/);
  expectProblem({ ...response, headers }, refusals.deviceProofRequired);
  return challengeOf(response) ?? "";
}

const script = (pair: Pair, { cookies = [marked], headers = {} } = {}) =>
  sandbox.refresh({ cookies: [...pair.cookies, ...cookies], headers });

describe("binding", () => {
  test("D01 a login with the setting off, or of a bearer client, is told nothing", async () => {
    const { email, password } = await service.addAccount();
    const body = { email, password };
    const off = await service.sandbox.login({ body });
    const bearer = await sandbox.login({ body, headers: { "auth-mode": "bearer" } });
    for (const response of [off, bearer])
      expect(response.headers).not.toHaveProperty("secure-session-registration");
    const { headers } = await sandbox.login({ body });
    expect(headers["secure-session-registration"]).toMatch(
      /^\(ES256\);path="\/auth\/device";challenge="[\w-]{30}"$/,
    );
  });

  test("D19 one write, and the browser learns what to do: attributes as the cookie has them, a marker, the next challenge", async () => {
    const { pair, challenge } = await logIn();
    const response = await expectRequests([update], () => send(pair, browser.bind(challenge)));
    expect(bodyOf(response)).toEqual({
      session_identifier: "auth",
      refresh_url: "/auth/device",
      scope: {
        include_site: false,
        scope_specification: ["/auth/login", "/auth/logout"].map((path) => ({
          type: "exclude",
          domain: "abcdefghij.execute-api.eu-central-1.amazonaws.com",
          path,
        })),
      },
      credentials: [
        {
          type: "cookie",
          name: "auth-cookie-bound",
          attributes: "HttpOnly; Secure; SameSite=Strict; Path=/",
        },
      ],
      allowed_refresh_initiators: [],
    });
    expect(response.cookies).toEqual([`${marked}; HttpOnly; Secure; SameSite=Strict; Path=/; Max-Age=810`]);
    expect(challengeOf(response)).toMatch(/^[\w-]{115}$/);
    expect((await service.findSession(pair))?.deviceKey).toBe(browser.stored);
    expect(log.entries().at(-1)).toMatchObject({ event: "authn_device_bound" });
    const { sessions } = bodyOf(await sandbox.listSessions({ cookies: pair.cookies }));
    expect(sessions).toEqual([expect.objectContaining({ isDeviceBound: true })]);
  });

  test("D19 with other settings of the cookie, behind a path, and for pages of other hosts", async () => {
    const own = service.createSandbox({
      ...settings,
      ISSUER: "https://api.example.com/v1",
      COOKIE_NAME: "__Host-a",
      COOKIE_SAME_SITE: "Lax",
      ALLOWED_ORIGINS: "https://app.example.com",
    });
    const { email, password } = await service.addAccount();
    const login = await own.login({ body: { email, password } });
    expect(login.headers["secure-session-registration"]).toContain('path="/v1/auth/device"');
    const { cookies } = pairOf(login);
    const response = await own.proveDevice({ cookies, headers: browser.bind(challengeOf(login) ?? "") });
    const attributes = "HttpOnly; Secure; SameSite=Lax; Path=/";
    expect(response.cookies).toEqual([`__Host-a-bound=1; ${attributes}; Max-Age=810`]);
    expect(bodyOf(response)).toMatchObject({
      refresh_url: "/v1/auth/device",
      credentials: [{ name: "__Host-a-bound", attributes }],
      allowed_refresh_initiators: ["app.example.com"],
    });
  });

  const wrongKey = createDeviceKey();
  const { x = "", ...withoutX } = wrongKey.jwk;
  const offCurve = `${x.slice(0, -4)}AAAA`;
  const lies: [what: string, headers: (challenge: string) => Record<string, string>][] = [
    ["D02 no proof", () => ({})],
    ["D03 alg none", (challenge) => browser.bind(challenge, { alg: "none" })],
    ["D03 alg HS256", (challenge) => browser.bind(challenge, { alg: "HS256" })],
    ["D03 alg RS256", (challenge) => browser.bind(challenge, { alg: "RS256" })],
    ["D03 a private key", (challenge) => browser.bind(challenge, { jwk: browser.privateJwk })],
    [
      "D03 a key off the curve",
      (challenge) => browser.bind(challenge, { jwk: { ...withoutX, x: offCurve } }),
    ],
    ["D03 no key", (challenge) => browser.bind(challenge, { jwk: undefined })],
    ["D03 a key that is no object", (challenge) => browser.bind(challenge, { jwk: "x" })],
    [
      "D03 another key than the one that signed",
      (challenge) => browser.bind(challenge, { jwk: wrongKey.jwk }),
    ],
    ["D03 typ JWT", (challenge) => browser.bind(challenge, { typ: "JWT" })],
    ["D03 3 KB", (challenge) => browser.bind(challenge, { kid: "k".repeat(3_000) })],
    ["D03 no JWT", () => ({ "secure-session-response": "x" })],
    ["D04 a challenge of a thief's own", () => thief.bind("A".repeat(30))],
    ["D04 no challenge", () => thief.bind("")],
  ];

  test.each(lies)("%s: refused without a request, and the session stays unbound", async (_, headersOf) => {
    const { pair, challenge } = await logIn();
    const refused = await expectRequests([], () => send(pair, headersOf(challenge)));
    expectProblem(refused, refusals.invalidDeviceProof);
    expect(await service.findSession(pair)).not.toHaveProperty("deviceKey");
    await service.rotate(pair, { as });
  });

  test("D04 the challenge of another login binds nothing", async () => {
    const [own, other] = [await logIn(), await logIn()];
    expectProblem(await send(own.pair, thief.bind(other.challenge)), refusals.invalidDeviceProof);
  });

  test("D05 the same key again is bound, another one is not", async () => {
    const { pair, challenge } = await logIn();
    wire.break(update, loseAnswer, { times: 1 });
    for (let i = 0; i < 2; i++) expect((await send(pair, browser.bind(challenge))).statusCode).toBe(200);
    expectProblem(await send(pair, thief.bind(challenge)), refusals.invalidDeviceProof);
    expect((await service.findSession(pair))?.deviceKey).toBe(browser.stored);
  });

  test("D06 not after the first rotation, nor 61 s after the login", async () => {
    const [rotated, late] = [await logIn(), await logIn()];
    const next = await service.rotate(rotated.pair, { as });
    for (const pair of [rotated.pair, next])
      expectProblem(await send(pair, browser.bind(rotated.challenge)), refusals.invalidDeviceProof);
    clock.advance(61);
    expectProblem(await send(late.pair, browser.bind(late.challenge)), refusals.invalidDeviceProof);
    for (const pair of [next, late.pair])
      expect(await service.findSession(pair)).not.toHaveProperty("deviceKey");
  });

  test("where nothing came of it, the browser's next proof ends what it thinks it has, and the session goes on", async () => {
    const { pair } = await logIn();
    expectProblem(await send(pair, browser.renew("A".repeat(115))), refusals.invalidDeviceProof);
    await service.rotate(pair, { as });
  });
});

describe("renewal by the browser", () => {
  test("D07 a proof over the challenge of this pair rotates it, in one write, without the keys of a client", async () => {
    const keys = { "session-key": createRefreshToken(), "idempotency-key": createRefreshToken() };
    const { pair, challenge } = await bound(keys);
    clock.advance(600);
    log.clear();
    const next = await expectRequests([update], () => renew(pair, challenge));
    expect(next.response).toMatchObject({
      statusCode: 204,
      cookies: [expect.anything(), expect.stringMatching(marked)],
    });
    expect(log.entries()).toMatchObject([{ event: "session_renewed" }]);
    clock.advance(600);
    await renew(next.pair, next.challenge);
  });

  test("the proof may stand in quotes, as the draft has it", async () => {
    const { pair, challenge } = await bound();
    const { "secure-session-response": proof, ...headers } = browser.renew(challenge);
    const response = await send(pair, { ...headers, "secure-session-response": `"${proof}"` });
    expect(response.statusCode).toBe(204);
  });

  test("D08 the predecessor with its challenge gets the same bytes, however late; the current pair with it is asked again", async () => {
    const { pair, challenge } = await bound();
    clock.advance(600);
    const next = await renew(pair, challenge);
    clock.advance(400);
    const again = await renew(pair, challenge);
    expect(again.pair.refreshToken).toBe(next.pair.refreshToken);
    const asked = await send(next.pair, browser.renew(challenge));
    const proven = await send(next.pair, browser.renew(expectAsked(asked)));
    expect(proven.statusCode).toBe(204);
  });

  const stale: [what: string, headersOf: (challenge: string) => Record<string, string>, seconds?: number][] =
    [
      ["D09 no proof, after a restart", () => ({ "sec-secure-session-id": "auth" })],
      ["D10 a challenge of before", (challenge) => browser.renew(challenge), 1_201],
      ["D10 a wrong MAC", (challenge) => browser.renew(`${challenge.slice(0, -2)}AA`)],
      ["D10 another key's signature", (challenge) => thief.renew(challenge)],
      ["D03 alg none", (challenge) => browser.renew(challenge, { header: { alg: "none" } })],
      ["D03 typ JWT", (challenge) => browser.renew(challenge, { header: { typ: "JWT" } })],
      ["D03 no text as challenge", (challenge) => browser.renew(challenge, { payload: { jti: 7 } })],
      ["D03 no JWT", () => ({ "sec-secure-session-id": "auth", "secure-session-response": "x" })],
      ["D03 3 KB", (challenge) => browser.renew(challenge, { header: { kid: "k".repeat(3_000) } })],
    ];

  test.each(stale)(
    "%s: one read, nothing written, and told what to sign",
    async (_, headersOf, seconds = 600) => {
      const { pair, challenge } = await bound();
      clock.advance(seconds);
      const before = await service.findSession(pair);
      const asked = await expectRequests([read], () => send(pair, headersOf(challenge)));
      const next = expectAsked(asked);
      expect(await service.findSession(pair)).toEqual(before);
      await renew(pair, next);
    },
  );

  test("D10 D11 the challenge of another session, or of a key that is no longer its own, renews nothing", async () => {
    const [own, other] = [await bound(), await bound()];
    clock.advance(600);
    expectAsked(await send(own.pair, browser.renew(other.challenge)));
    await database.change("sessions", own.pair.key, { deviceKey: thief.stored });
    const before = await service.findSession(own.pair);
    expectAsked(await send(own.pair, browser.renew(own.challenge)));
    expect(await service.findSession(own.pair)).toEqual(before);
  });

  test("D14 a spent pair with its proof is a replay", async () => {
    const first = await bound();
    clock.advance(600);
    const second = await renew(first.pair, first.challenge);
    clock.advance(600);
    const third = await renew(second.pair, second.challenge);
    expectProblem(await send(first.pair, browser.renew(first.challenge)), refusals.tokenExpired);
    expect(await service.findSession(third.pair)).toBeUndefined();
  });

  test("a session that is over, and no pair at all, end it for the browser", async () => {
    const { pair, challenge } = await bound();
    await sandbox.logout({ cookies: pair.cookies });
    for (const headers of [browser.renew(challenge), { "sec-secure-session-id": "auth" }])
      expectProblem(await send(pair, headers), refusals.tokenExpired);
    const none = await sandbox.proveDevice({ headers: browser.renew(challenge) });
    expectProblem(none, refusals.noCredentials);
  });

  test("D18 where DynamoDB is away it is a 503 in every case", async () => {
    const [{ pair, challenge }, fresh] = [await bound(), await logIn()];
    clock.advance(31);
    for (const [own, headers, name] of [
      [pair, browser.renew(challenge), update],
      [pair, { "sec-secure-session-id": "auth" }, read],
      [fresh.pair, browser.bind(fresh.challenge), update],
    ] as const) {
      wire.break(name, fail, { times: 3 });
      expectProblem(await send(own, headers), refusals.unavailable);
    }
    await renew(pair, challenge);
  });
});

describe("POST /auth/refresh of a bound session", () => {
  test("D16 a script is sent again once the browser has proven its key, and then gets that pair", async () => {
    const { pair, challenge } = await bound();
    clock.advance(600);
    const before = await service.findSession(pair);
    const sent = await expectRequests([update], () => script(pair));
    expect(sent).toMatchObject({ statusCode: 307, headers: { location: "/auth/refresh" } });
    expect(sent.cookies?.[0]).toMatch(/^auth-cookie-bound=; .*Max-Age=0$/);
    expect(await service.findSession(pair)).toEqual(before);
    const next = await renew(pair, challenge);
    expect(pairOf(await script(next.pair)).refreshToken).toBe(next.pair.refreshToken);
  });

  test("D12 D13 D15 a thief of the whole cookie jar is let in by the JWT alone, renews nothing and ends nothing", async () => {
    const { pair, challenge } = await bound();
    expect((await sandbox.movies({ cookies: pair.cookies })).statusCode).toBe(200);
    clock.advance(600);
    const next = await renew(pair, challenge);
    clock.advance(600);
    const current = await renew(next.pair, next.challenge);
    clock.advance(31);
    for (const stolen of [pair, next.pair, current.pair]) {
      expectProblem(await script(stolen, { cookies: [] }), refusals.deviceProofRequired);
      const asked = expectAsked(await send(stolen, { "sec-secure-session-id": "auth" }));
      expectAsked(await send(stolen, thief.renew(asked)));
      expectProblem(await send(stolen, thief.bind(asked)), refusals.invalidDeviceProof);
    }
    await renew(current.pair, current.challenge);
  });

  test("D12 a thief of the current pair gets no younger one when the browser's late repeat re-arms it", async () => {
    const first = await bound();
    clock.advance(600);
    const { pair: stolen } = await renew(first.pair, first.challenge);
    clock.advance(500);
    const again = await renew(first.pair, first.challenge);
    expect(again.pair.refreshToken).toBe(stolen.refreshToken);
    expectProblem(await script(stolen, { cookies: [] }), refusals.deviceProofRequired);
    expect(pairOf(await script(again.pair)).token).toBe(again.pair.token);
  });

  test("D15 the pair of a login, before it was bound, is not rotated afterwards", async () => {
    const { pair } = await bound();
    clock.advance(31);
    expect((await script(pair)).statusCode).toBe(307);
    expect((await script(pair, { cookies: [] })).statusCode).toBe(403);
  });

  test("D17 where the browser tried in vain it is a 503", async () => {
    const { pair } = await bound();
    clock.advance(600);
    const headers = { "secure-session-skipped": 'server_error;session_identifier="auth"' };
    for (const cookies of [[], [marked]])
      expectProblem(await script(pair, { cookies, headers }), refusals.unavailable);
  });

  test("a bearer client with that pair renews nothing, and is not sent anywhere", async () => {
    const { pair } = await bound();
    clock.advance(600);
    const { token, refreshToken } = pair;
    const headers = { "auth-mode": "bearer" };
    const response = await sandbox.refresh({ headers, body: { token, refreshToken } });
    expectProblem(response, refusals.deviceProofRequired);
  });
});

test("logout deletes the marker", async () => {
  const { pair } = await bound();
  const { cookies } = await sandbox.logout({ cookies: [...pair.cookies, marked] });
  expect(cookies).toContainEqual(expect.stringMatching(/^auth-cookie-bound=; .*Max-Age=0$/));
});

test("D23 a session in place of a bound one is bound to the same key, and tells nobody how to bind another", async () => {
  const box = mailbox.createSandbox(settings);
  const { pair, account } = await bound();
  const newEmail = `${createRefreshToken().slice(0, 8).toLowerCase().replaceAll(/[_-]/g, "a")}@example.com`;
  const asked = await box.askEmailChange({
    cookies: pair.cookies,
    body: { newEmail, password: account.password },
  });
  const code = await mailbox.receiveCode(newEmail);
  const { challenge } = bodyOf(asked);
  const response = await box.confirmEmailChange({ cookies: pair.cookies, body: { challenge, code } });
  expect(response.statusCode).toBe(200);
  expect(response.headers).not.toHaveProperty("secure-session-registration");
  expect((await service.findSession(pairOf(response)))?.deviceKey).toBe(browser.stored);
});

test.each([
  [
    "D22 an access token that lives for less than five minutes",
    { ACCESS_TOKEN_TTL_SECONDS: "299" },
    "ACCESS_TOKEN_TTL_SECONDS must be at least 300",
  ],
  ["a cookie for a whole domain", { COOKIE_DOMAIN: "example.com" }, "COOKIE_DOMAIN must be unset"],
])("%s is refused at start", async (_, own, message) => {
  const refused = service.createSandbox({ ...settings, ...own });
  await expect(refused.login({ body: {} })).rejects.toThrow(message);
});
