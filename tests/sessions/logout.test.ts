import { describe, expect, test } from "@jest/globals";
import type { ApiResponse } from "../../lib/http/response.ts";
import { expectCookie, expectJson, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import type { ClientRequest } from "../support/event.ts";
import { fail, loseAnswer } from "../support/faults.ts";
import { log } from "../support/log.ts";
import { cookieOf, type Pair } from "../support/pair.ts";
import { remove, update } from "../support/rotations.ts";
import { startService } from "../support/service.ts";
import type { WireRequest } from "../support/wire.ts";

const service = await startService();
const { sandbox, wire, expectRequests, expectRefusal } = service;
const cleared = "auth-cookie=; HttpOnly; Secure; SameSite=Strict; Path=/; Max-Age=0";
const host = new URL(service.environment.ISSUER ?? "").hostname;
const bearer = ({ token }: Pair) => ({ authorization: `Bearer ${token}` });
const mode = { "auth-mode": "bearer" };
const halves = ({ token, refreshToken }: Pair) => ({ token, refreshToken });
/** The access token of one pair and the refresh token of another. */
const mixed = ({ token }: Pair, { refreshToken }: Pair) => [cookieOf({ token, refreshToken })];

const isOf = ({ parameters }: WireRequest, { key }: Pair) => parameters.Key.sessionId.S === key.sessionId;

/** A request for a logout, made of a pair and another session's pair. */
type Make = (pair: Pair, other: Pair) => ClientRequest;
const withCookie: Make = ({ cookies }) => ({ cookies });
const withHeader: Make = (pair) => ({ headers: bearer(pair) });

/** Asserts that an answer is a success with this cookie, or none. */
function expectSuccess(response: ApiResponse, cookie?: string): void {
  expectJson(response, 200, { msg: "success" });
  expect(response.cookies?.slice(0, 2)).toEqual(cookie && [cookie, `${cleared}; Domain=${host}`]);
}

test("the line of a logout names the user of a genuine pair or live token, and nobody without one", async () => {
  const pair = await service.logIn();
  const userId = pair.claims.sub;
  log.clear();
  await sandbox.logout({ cookies: pair.cookies });
  await sandbox.logout({ headers: bearer(pair) });
  await sandbox.logout();
  await sandbox.logout({ cookies: [cookieOf({ token: "x", refreshToken: "y" })] });
  clock.advance(905);
  await sandbox.logout({ headers: bearer(pair) });
  const named = [userId, userId, undefined, undefined, undefined];
  expect(log.entries().map(({ event, userId }) => [event, userId])).toEqual(
    named.map((userId) => ["session_logout", userId]),
  );
});

describe("logout ends the session", () => {
  test.each<[string, number, Make, string?]>([
    ["of a cookie, and clears the cookie", 0, withCookie, cleared],
    ["of a pair whose access token has expired", 80_000, withCookie, cleared],
    [
      "of a live access token whose refresh token is another one",
      0,
      (a, b) => ({ cookies: mixed(a, b) }),
      cleared,
    ],
    ["of a live access token in the Authorization header", 0, withHeader],
    [
      "of a bearer client's pair, and sets no cookie",
      1_000,
      (pair) => ({ headers: mode, body: halves(pair) }),
    ],
  ])("%s", async (_, seconds, make, ...[cookie]) => {
    const [pair, other] = [await service.logIn(), await service.logIn()];
    clock.advance(seconds);
    expectSuccess(await expectRequests([remove], () => sandbox.logout(make(pair, other))), cookie);
    expect(await service.findSession(pair)).toBeUndefined();
    expect(await service.findSession(other)).toBeDefined();
    // Again, when it has ended already.
    expectSuccess(await expectRequests([remove], () => sandbox.logout(make(pair, other))), cookie);
  });

  test("R20 R22 with every pair of it, by any of them, and only this session", async () => {
    const other = await service.logIn();
    for (const isSpent of [false, true]) {
      const first = await service.logIn();
      const second = await service.rotate(first);
      clock.advance(isSpent ? 3_600 : 0);
      await sandbox.logout({ cookies: isSpent ? first.cookies : second.cookies });
      for (const pair of [first, second])
        await expectRefusal(() => service.refresh(pair), refusals.tokenExpired, [update]);
      expect(await service.findSession(second)).toBeUndefined();
    }
    await service.rotate(other);
  });

  test("with a cleared cookie of the configured name, path and domain", async () => {
    const pair = await service.logIn();
    const settings = { COOKIE_NAME: "session", COOKIE_SAME_SITE: "None", COOKIE_DOMAIN: "example.com" };
    const response = await service
      .createSandbox(settings)
      .logout({ cookies: [cookieOf(halves(pair), "session")] });
    const line = "session=; HttpOnly; Secure; SameSite=None; Path=/; Max-Age=0";
    expect(response.cookies?.slice(0, 2)).toEqual([`${line}; Domain=example.com`, line]);
    expect(await service.findSession(pair)).toBeUndefined();
  });

  test("C26 S13 of every genuine pair among several cookies of the name; while one may live, it is a 503", async () => {
    const { pairs } = await service.open(5);
    const forged = cookieOf(halves({ ...pairs[0], refreshToken: "A".repeat(43) }));
    clock.advance(1_000);
    const cookies = ["auth-cookie=x", forged, ...pairs.flatMap((pair) => pair.cookies)];
    const logOut = () => sandbox.logout({ cookies });
    wire.break(remove, (request) => (isOf(request, pairs[2]) ? fail(request) : request.deliver()), {
      times: 7,
    });
    await expectRefusal(logOut, refusals.unavailable, [Array(7).fill(remove)]);
    const left = await Promise.all(pairs.map(service.findSession));
    expect(left.map((session) => session !== undefined)).toEqual([false, false, true, false, false]);
    expectSuccess(await expectRequests([Array(5).fill(remove)], logOut), cleared);
    await service.expectOver(pairs);
  });

  test.each([
    ["once", 1],
    ["twice", 2],
  ])("S12 although the answer was lost %s", async (_, times) => {
    const pair = await service.logIn();
    wire.break(remove, loseAnswer, { times });
    const steps = Array(times + 1).fill(remove);
    expectCookie(await expectRequests(steps, () => sandbox.logout({ cookies: pair.cookies })));
    expect(await service.findSession(pair)).toBeUndefined();
  });
});

describe("logout answers 200 and ends nothing", () => {
  test.each<[string, number, Make, string?]>([
    ["C01 without credentials", 0, () => ({}), cleared],
    ["with an empty cookie, which it clears", 0, () => ({ cookies: ["auth-cookie="] }), cleared],
    [
      "with a cookie that cannot be decoded, which it clears",
      0,
      () => ({ cookies: ["auth-cookie=%E0%A4%A"] }),
      cleared,
    ],
    ["with a forged pair", 0, (pair) => ({ cookies: mixed({ ...pair, token: forge(pair) }, pair) }), cleared],
    [
      "with an expired access token and a foreign refresh token",
      906,
      (a, b) => ({ cookies: mixed(a, b) }),
      cleared,
    ],
    ["with an expired access token in the Authorization header", 906, withHeader],
    ["with another scheme in it", 0, () => ({ headers: { authorization: "Basic dXNlcjpwYXNz" } }), cleared],
    ["with no token in it", 0, () => ({ headers: { authorization: "Bearer" } })],
    ["for a pair in the body without Auth-Mode: bearer", 0, (pair) => ({ body: halves(pair) }), cleared],
    ["for a bearer client without a body", 0, () => ({ headers: mode })],
    ["for a bearer client with half a pair", 0, () => ({ headers: mode, body: { token: "x" } })],
    [
      "for a bearer client with another pair",
      0,
      () => ({ headers: mode, body: { token: "x", refreshToken: "y" } }),
    ],
  ])("%s", async (_, seconds, make, ...[cookie]) => {
    const [pair, other] = [await service.logIn(), await service.logIn()];
    clock.advance(seconds);
    expectSuccess(await expectRequests([], () => sandbox.logout(make(pair, other))), cookie);
    await service.rotate(pair);
    await service.rotate(other);
  });

  const forge = ({ token }: Pair) => `${token.slice(0, -8)}AAAAAAAA`;
});

describe("logout is refused", () => {
  test("with two kinds of credentials", async () => {
    const pair = await service.logIn();
    const { cookies } = pair;
    for (const request of [
      { cookies, headers: bearer(pair) },
      { cookies, headers: mode, body: halves(pair) },
      { headers: { ...mode, ...bearer(pair) }, body: halves(pair) },
      { headers: { ...mode, ...bearer(pair) }, body: { token: 1 } },
      { cookies: ["auth-cookie=broken"], headers: bearer(pair) },
    ]) {
      await expectRefusal(() => sandbox.logout(request), refusals.conflict);
    }
    expect(await service.findSession(pair)).toBeDefined();
  });

  test("S13 with 503 and the cookie kept while the deletion is not confirmed; a later logout works", async () => {
    const pair = await service.logIn();
    const logOut = () => sandbox.logout({ cookies: pair.cookies });
    wire.break(remove, fail, { times: 3 });
    await expectRefusal(logOut, refusals.unavailable, Array(3).fill(remove));
    expect(await service.findSession(pair)).toBeDefined();
    expectSuccess(await logOut(), cleared);
    expect(await service.findSession(pair)).toBeUndefined();
  });
});
