import { describe, expect, test } from "@jest/globals";
import type { ApiResponse } from "../../lib/http/response.ts";
import { expectJson, expectProblem, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { createForgery } from "../support/forgery.ts";
import { cookieOf, type Pair, pairOf } from "../support/pair.ts";
import { createSandbox } from "../support/sandbox.ts";
import { logInSteps, startService } from "../support/service.ts";

const service = await startService();
const { sandbox, expectRequests, expectRefusal } = service;
const bearer = ({ token }: Pick<Pair, "token">) => ({ authorization: `Bearer ${token}` });

/** Asserts that nobody is asked, nothing is set, and the handler's response is this. */
async function expectOpen(call: () => Promise<ApiResponse>, body: unknown = ["Avatar", "Avengers"]) {
  const response = await expectRequests([], call);
  expectJson(response, 200, body);
  expect(response.cookies).toBeUndefined();
}

describe("GET /movies opens", () => {
  test("C24 H18 with the cookie, in a raw Cookie header, too, and with its token as bearer", async () => {
    const { cookies, token } = await service.logIn();
    await expectOpen(() => sandbox.movies({ cookies }));
    await expectOpen(() => sandbox.movies({ headers: { cookie: `a=b; ${cookies[0]}` } }));
    for (const scheme of ["Bearer ", "bearer   "])
      await expectOpen(() => sandbox.movies({ headers: { authorization: `${scheme}${token}` } }));
  });

  test("H18 with the cookie, although a browser sends Basic for a staging host, too; so do refresh and logout", async () => {
    const { cookies, key } = await service.logIn();
    const request = { cookies, headers: { authorization: "Basic c3RhZ2luZzpzZWNyZXQ=" } };
    await expectOpen(() => sandbox.movies(request));
    const next = pairOf(await sandbox.refresh(request));
    await sandbox.logout({ ...request, cookies: next.cookies });
    expect(await service.findSession({ key })).toBeUndefined();
  });

  test("R41 with the token of a pair that was replaced, or logged out, until it expires", async () => {
    const first = await service.logIn();
    const second = await service.rotate(first);
    await expectOpen(() => sandbox.movies({ cookies: first.cookies }));
    await sandbox.logout({ cookies: second.cookies });
    await expectOpen(() => sandbox.movies({ cookies: second.cookies }));
  });

  test("H12 from another site too: it changes nothing, and CORS is the gateway's", async () => {
    const site = { origin: "https://elsewhere.example", "sec-fetch-site": "cross-site" };
    const headers = { ...bearer(await service.logIn()), ...site };
    await expectOpen(() => sandbox.movies({ headers }));
  });

  test("without any table's name, with public keys only; so does GET /auth/me, with the caller's claims", async () => {
    const { USERS_TABLE: _, SESSIONS_TABLE: __, JWT_SIGNING_KEYS: ___, ...environment } = service.environment;
    const verifyOnly = createSandbox(environment);
    const { cookies, claims, token } = await service.logIn();
    await expectOpen(() => verifyOnly.movies({ cookies }));
    await expectOpen(() => verifyOnly.me({ cookies }), claims);
    await expectOpen(() => verifyOnly.me({ headers: bearer({ token }) }), claims);
  });
});

// On every other route of the account it is refused: tests/http/protections.test.ts.
test("J58 a token of another client opens plain resources, and neither renews nor ends a session", async () => {
  const { pair, withClaims } = await createForgery(service);
  const token = withClaims({ client_id: "another" });
  const cookies = [cookieOf({ token, refreshToken: pair.refreshToken })];
  await expectOpen(() => sandbox.movies({ cookies }));
  clock.advance(30);
  const { email, password } = await service.addAccount();
  await expectRefusal(() => sandbox.refresh({ cookies }), refusals.invalidJwt);
  expectJson(await expectRequests([], () => sandbox.logout({ cookies })), 200, { msg: "success" });
  await expectRequests(logInSteps, () => sandbox.login({ body: { email, password }, cookies }));
  await service.rotate(pair);
});

// Every form of a cookie and of an Authorization header is in lib/http/cookies.test.ts and lib/http/bearer.test.ts.
describe.each(["movies", "me"] as const)("%s is refused", (route) => {
  test("C01 H18 with a plain challenge for nothing, other cookies, another scheme, or a pair in the body", async () => {
    const body = { token: "x", refreshToken: "y" };
    const basic = { headers: { authorization: "Basic x" } };
    for (const request of [
      ...[{}, { cookies: ["session=x"] }, basic],
      { headers: { "auth-mode": "bearer" }, body },
    ])
      await expectRefusal(() => sandbox[route](request), refusals.noCredentials);
  });

  test("C03 C10 C16 J50 with invalid_token for cookies that are not ours, not whole, in quotes, or differ", async () => {
    const [a, b] = [await service.logIn(), await service.logIn()];
    const quoted = (a.cookies[0] ?? "").replace("=", '="').concat('"');
    for (const cookies of [
      ...[["auth-cookie="], [quoted], [cookieOf({ token: a.token })], [...a.cookies, ...b.cookies]],
      [cookieOf({ token: a.refreshToken, refreshToken: a.refreshToken })],
    ])
      await expectRefusal(() => sandbox[route]({ cookies }), refusals.invalidToken);
  });

  test("H18 H19 with invalid_token for an odd or a huge Authorization header", async () => {
    for (const authorization of ["Bearer", "Bearer x\r\nset-cookie: y", `Bearer ${"x".repeat(100_000)}`])
      await expectRefusal(() => sandbox[route]({ headers: { authorization } }), refusals.invalidToken);
  });

  test("R40 with 400 for a cookie beside an Authorization header, whatever they hold", async () => {
    const pair = await service.logIn();
    for (const request of [
      { cookies: pair.cookies, headers: { authorization: "Bearer" } },
      { cookies: ["auth-cookie=x"], headers: bearer(pair) },
    ])
      await expectRefusal(() => sandbox[route](request), refusals.conflict);
  });

  test("K11 by settings: for sessions from before SESSIONS_NOT_BEFORE, for tokens that live too long", async () => {
    const { cookies } = await service.logIn();
    const { now } = clock;
    const keeps = service.createSandbox({ SESSIONS_NOT_BEFORE: String(now) });
    const ends = service.createSandbox({ SESSIONS_NOT_BEFORE: String(now + 1) });
    const lowered = service.createSandbox({ ACCESS_TOKEN_TTL_SECONDS: "899" });
    expect((await keeps[route]({ cookies })).statusCode).toBe(200);
    for (const as of [ends, lowered]) expectProblem(await as[route]({ cookies }), refusals.invalidToken);
    expect((await lowered.refresh({ cookies })).statusCode).toBe(200);
  });
});
