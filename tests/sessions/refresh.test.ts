import { createHash, createHmac } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { createRefreshToken } from "../../lib/tokens/refresh-token.ts";
import { bodyOf, expectCookie, expectJson, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { type ClientRequest, createEvent } from "../support/event.ts";
import { cookieOf, type Pair, pairOf } from "../support/pair.ts";
import { startService } from "../support/service.ts";

const service = await startService();
const { sandbox, expectRequests, expectRefusal } = service;
const hash = (token: string) => createHash("sha256").update(token).digest("base64url");
const halves = ({ token, refreshToken }: Pair) => ({ token, refreshToken });
const rawCookie = (text: string) => `auth-cookie=${encodeURIComponent(text)}`;
const pair = await service.logIn();

test("R01 replaces the pair with one write, which stores hashes and the salt only", async () => {
  const first = await service.logIn();
  const before = await service.findSession(first);
  clock.advance(1_000);
  const response = await expectRequests(["UpdateItem sessions"], () => service.refresh(first));
  expectCookie(response);
  const second = pairOf(response);
  const stored = await service.findSession(first);
  expect(stored).toEqual({
    ...before,
    tokenHash: hash(second.refreshToken),
    previousTokenHash: hash(first.refreshToken),
    rotationSalt: expect.stringMatching(/^[\w-]{43}$/),
    ...{ rotatedAt: clock.now, rotatedAtMs: clock.now * 1000, renewedAtMs: clock.now * 1000 },
    previousKeyHash: "none",
    expiresAt: clock.now + 86_400,
  });
  const hmac = createHmac("sha256", Buffer.from(stored?.rotationSalt, "base64url"));
  expect(second.refreshToken).toBe(hmac.update(first.refreshToken).digest("base64url"));
  expect(second.claims).toEqual({
    ...first.claims,
    iat: clock.now,
    exp: clock.now + 900,
    jti: createHash("sha256").update(second.refreshToken).digest().subarray(0, 16).toString("base64url"),
  });
});

test("a refresh notes who renews: the list of sessions shows a copy of the cookie at work", async () => {
  const first = await service.logIn();
  clock.advance(60);
  const event = createEvent("refresh", { cookies: first.cookies });
  Object.assign(event.requestContext.http, { sourceIp: "198.51.100.9", userAgent: "curl/8" });
  await sandbox.invoke("refresh", event);
  expect(await service.findSession(first)).toMatchObject({ ip: "198.51.100.9", userAgent: "curl/8" });
});

describe("a session that was opened with a Session-Key", () => {
  const sessionKey = createRefreshToken();

  test.each([
    ["no", undefined],
    ["another", createRefreshToken()],
  ])(
    "R50 is not renewed with %s Session-Key, however old the pair: 403, nothing is written, nothing ended",
    async (_, other) => {
      const first = await service.logIn({ sessionKey });
      clock.advance(100);
      const second = await service.rotate(first, { sessionKey });
      clock.advance(100);
      const third = await service.rotate(second, { sessionKey });
      const before = await service.findSession(first);
      for (const pair of [third, second, first]) {
        clock.advance(30);
        const call = () => service.refresh(pair, { sessionKey: other });
        await service.expectRefusal(call, refusals.sessionKeyRequired, ["UpdateItem sessions"]);
      }
      expect(await service.findSession(first)).toEqual(before);
      expect((await service.rotate(third, { sessionKey })).claims.iat).toBe(clock.now);
    },
  );

  test("ends with a logout that does not carry it", async () => {
    const first = await service.logIn({ sessionKey });
    await sandbox.logout({ cookies: first.cookies });
    await service.expectOver([first], { sessionKey });
  });
});

test("R51 a Session-Key for a session that has none is ignored", async () => {
  const first = await service.logIn();
  await service.rotate(first, { sessionKey: createRefreshToken() });
  await service.rotate(first);
});

describe("refresh accepts", () => {
  const accepted = async (request: Parameters<typeof sandbox.refresh>[0]) => {
    const response = await expectRequests(["UpdateItem sessions"], () => sandbox.refresh(request));
    expectCookie(response);
    return pairOf(response);
  };

  test("R02 a pair whose access token has expired, and one whose token is alive", async () => {
    const first = await service.logIn();
    clock.advance(80_000);
    const second = await accepted({ cookies: first.cookies });
    clock.advance(30);
    expect((await accepted({ cookies: second.cookies })).claims.sid).toBe(first.claims.sid);
  });

  test("C06 C13 C22 the cookie among 50 others with odd names, in any place", async () => {
    const { cookies } = await service.logIn();
    const others = Array.from({ length: 47 }, (_, i) => `other${i}=${"x".repeat(i)}`);
    const odd = ["__proto__=x", "constructor=x", "toString=x", "=auth-cookie=x", "auth-cookie", ""];
    await accepted({ cookies: [...others, ...cookies, ...odd] });
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test("C04 C05 E01 the cookie twice with one value, or in a raw Cookie header of any case, alone and beside event.cookies", async () => {
    const make: ((line: string) => ClientRequest)[] = [
      (line) => ({ cookies: [line, line] }),
      (line) => ({ headers: { cookie: `a=b; ${line}; c=d` } }),
      (line) => ({ headers: { Cookie: `a=b; ${line}; c=d` } }),
      (line) => ({ cookies: [line], headers: { cookie: `a=b;\t${line} ` } }),
    ];
    for (const toRequest of make) await accepted(toRequest((await service.logIn()).cookies[0] ?? ""));
  });

  test("R39 a bearer client's pair in the body, and answers in the body", async () => {
    const first = await service.logIn();
    const headers = { "auth-mode": "bearer" };
    const response = await sandbox.refresh({ headers, body: halves(first) });
    const second = pairOf(response);
    expectJson(response, 200, { msg: "success", ...halves(second), expiresIn: 900 });
    expect(response.cookies).toBeUndefined();
    expect(second.refreshToken).not.toBe(first.refreshToken);
  });

  test("a pair in another way than it was handed out", async () => {
    const first = await service.logIn();
    const inBody = pairOf(await sandbox.refresh({ headers: { "auth-mode": "bearer" }, body: halves(first) }));
    clock.advance(30);
    await accepted({ cookies: [cookieOf(halves(inBody))] });
  });
});

describe("R38 refresh is refused", () => {
  test.each<[string, ClientRequest]>([
    ["C01 nothing", {}],
    ["other cookies", { cookies: ["session=x", "auth-cookie2=y", "Auth-Cookie=z"] }],
    ["a pair in the body without Auth-Mode: bearer", { body: halves(pair) }],
    ["a bearer client's empty request", { headers: { "auth-mode": "bearer" } }],
    ["a nameless cookie", { cookies: [`=${pair.cookies[0]}`] }],
    ["an access token in the Authorization header", { headers: { authorization: `Bearer ${pair.token}` } }],
  ])("with 401 for %s", async (_, request) => {
    await expectRefusal(() => sandbox.refresh(request), refusals.noCredentials);
  });

  test("C23 with 401 for the plain cookie where the prefixed one is configured", async () => {
    const prefixed = service.createSandbox({ COOKIE_NAME: "__Host-auth-cookie" });
    await expectRefusal(() => prefixed.refresh({ cookies: pair.cookies }), refusals.noCredentials);
  });

  const { token, refreshToken } = pair;
  const json = JSON.stringify(halves(pair));
  const rest = json.slice(json.indexOf('"refreshToken"'));
  const [start, end] = [cookieOf(halves(pair)).slice(0, 40), cookieOf(halves(pair)).slice(40)];
  test.each([
    ["C02 empty", "auth-cookie="],
    ["C07 percent-encoded badly", "auth-cookie=%E0%A4%A"],
    ["C07 percent-encoded NUL", "auth-cookie=%00"],
    ["C08 encoded twice", `auth-cookie=${encodeURIComponent(encodeURIComponent(json))}`],
    ["C17 not encoded", `auth-cookie=${json}`],
    ["C16 in double quotes", `auth-cookie="${encodeURIComponent(json)}"`],
    ["C12 in Express's JSON form", rawCookie(`j:${json}`)],
    ["C12 in Express's signed form", rawCookie(`s:${json}.signature`)],
    ["preceded by a byte order mark", rawCookie(`\ufeff${json}`)],
    ["C09 a JSON array", cookieOf([token, refreshToken])],
    ["C09 JSON null", cookieOf(null)],
    ["C09 a JSON string", cookieOf(json)],
    ["C10 without a token", cookieOf({ refreshToken })],
    ["C11 with a token that is an object", cookieOf({ token: { token }, refreshToken })],
    ["C14 with its halves in __proto__", rawCookie(`{"__proto__":${json}}`)],
    ["C14 with __proto__ beside its halves", rawCookie(`{"__proto__":{},${json.slice(1)}`)],
    ["C15 with two tokens, good then bad", rawCookie(`{"token":"${token}","token":"x",${rest}`)],
    ["C15 with two tokens, bad then good", rawCookie(`{"token":"x","token":"${token}",${rest}`)],
    ["C17 cut by a raw semicolon", `${start};${end}`],
    ["C17 with a raw blank in it", `${start} ${end}`],
    ["C17 with a raw comma in it", `${start},${end}`],
    ["C18 of 4,097 bytes", `auth-cookie=${"x".repeat(4_097 - "auth-cookie=".length)}`],
    ["C18 of 64 kB", cookieOf({ token, refreshToken: "x".repeat(64_000) })],
  ])("with 400 for a cookie that is %s", async (_, cookie) => {
    await expectRefusal(() => sandbox.refresh({ cookies: [cookie] }), refusals.invalidJwt);
  });

  test("C03 C05 with 400 for two cookies of the name with different values, in any order and place", async () => {
    const good = pair.cookies[0] ?? "";
    const other = (await service.logIn()).cookies[0] ?? "";
    for (const bad of [other, "auth-cookie=", "auth-cookie=x", `${good}x`]) {
      for (const request of [
        { cookies: [good, bad] },
        { cookies: [bad, good] },
        { cookies: [good], headers: { cookie: bad } },
        { headers: { cookie: `${good}; ${bad}` } },
      ]) {
        await expectRefusal(() => sandbox.refresh(request), refusals.invalidJwt);
      }
    }
  });

  test.each([
    ["C10 absent", { token }],
    ["C11 null", { token, refreshToken: null }],
    ["C11 a number", { token, refreshToken: 1 }],
    ["C11 an array", { token, refreshToken: [refreshToken] }],
    ["empty", { token, refreshToken: "" }],
    ["J50 the access token", { token, refreshToken: token }],
    ["R48 its own hash", { token, refreshToken: hash(refreshToken) }],
    ["random", { token, refreshToken: hash("random") }],
  ])("with 400 for a refresh token that is %s, in the cookie and in the body", async (_, value) => {
    await expectRefusal(() => sandbox.refresh({ cookies: [cookieOf(value)] }), refusals.invalidRefreshToken);
    const headers = { "auth-mode": "bearer" };
    await expectRefusal(() => sandbox.refresh({ headers, body: value }), refusals.invalidRefreshToken);
  });

  test("R27 R28 R29 with 400 for halves of two pairs, and neither session notices", async () => {
    const stranger = await service.logIn({ account: await service.addAccount() });
    const [other, first] = [await service.logIn(), await service.logIn()];
    const second = await service.rotate(first);
    for (const [a, b] of [
      [first, stranger],
      [stranger, first],
      [first, other],
      [second, other],
      [first, second],
      [second, first],
    ] as [Pair, Pair][]) {
      const cookies = [cookieOf({ token: a.token, refreshToken: b.refreshToken })];
      await expectRefusal(() => sandbox.refresh({ cookies }), refusals.invalidRefreshToken);
    }
    for (const survivor of [stranger, other, second]) {
      expect((await service.refresh(survivor)).statusCode).toBe(200);
    }
  });

  test("R31 for a thousand guesses, and the session does not notice", async () => {
    const victim = await service.logIn();
    await expectRequests([], async () => {
      for (let i = 0; i < 1_000; i++) {
        const guess = cookieOf({ token: victim.token, refreshToken: hash(`guess ${i}`) });
        const response = await sandbox.refresh({ cookies: [guess] });
        expect(bodyOf(response).code).toBe("invalid_refresh_token");
      }
    });
    expect((await service.refresh(victim)).statusCode).toBe(200);
  });

  test("with 400 for a bearer client whose body is no pair", async () => {
    const headers = { "auth-mode": "bearer" };
    for (const body of [[], "null", {}, { token: 1, refreshToken }, { token, refreshToken, msg: "success" }])
      await expectRefusal(() => sandbox.refresh({ headers, body }), refusals.invalidJwt);
  });

  test("R40 with 400 for two kinds of credentials", async () => {
    const { cookies } = pair;
    const mode = { "auth-mode": "bearer" };
    const authorization = `Bearer ${token}`;
    for (const request of [
      { cookies, headers: mode },
      { cookies, headers: mode, body: halves(pair) },
      { cookies, headers: { authorization } },
      { cookies, headers: { authorization: "Bearer" } },
      { cookies: ["auth-cookie=x"], headers: mode, body: halves(pair) },
    ]) {
      await expectRefusal(() => sandbox.refresh(request), refusals.conflict);
    }
  });

  test("with 400 for an Idempotency-Key that is none, before anything is written", async () => {
    const headers = { "idempotency-key": "short" };
    await expectRefusal(() => sandbox.refresh({ cookies: pair.cookies, headers }), refusals.invalidKey);
  });
});
