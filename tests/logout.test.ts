import { describe, expect, test } from "@jest/globals";
import { expectCookie, expectJson, refusals } from "./support/answer.ts";
import { clock } from "./support/clock.ts";
import { fail } from "./support/faults.ts";
import { log } from "./support/log.ts";
import { cookieOf, type Pair } from "./support/pair.ts";
import { startServices } from "./support/service.ts";

const services = await startServices();
const [service] = services;
const { sandbox, wire, expectRequests, expectRefusal } = service;
const cleared = "auth-cookie=; HttpOnly; Secure; SameSite=Strict; Path=/; Max-Age=0";
const bearer = ({ token }: Pair) => ({ authorization: `Bearer ${token}` });
const bodyOfPair = ({ token, refreshToken }: Pair) => ({ token, refreshToken });

describe.each(services)("POST /auth/logout on $engine", ({ sandbox, expectRequests, ...service }) => {
  const look = service.engine === "embedded" ? ["GetItem sessions"] : [];

  test("ends the session of the cookie and clears the cookie", async () => {
    const pair = await service.logIn();
    const response = await expectRequests(["DeleteItem sessions"], () =>
      sandbox.logout({ cookies: pair.cookies }),
    );
    expect(expectCookie(response)).toBe(cleared);
    expect(await service.findSession(pair)).toBeUndefined();
  });

  test("R20 R22 ends every pair of the session, and only this session", async () => {
    const first = await service.logIn();
    const other = await service.logIn();
    const second = await service.rotate(first);
    await sandbox.logout({ cookies: second.cookies });
    for (const { cookies } of [first, second]) {
      await service.expectRefusal(() => sandbox.refresh({ cookies }), refusals.tokenExpired, [
        "UpdateItem sessions",
        ...look,
      ]);
    }
    expect(await service.findSession(second)).toBeUndefined();
    expect((await service.refresh(other)).statusCode).toBe(200);
  });
});

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
  expect(log.entries().map(({ event, userId }) => [event, userId])).toEqual([
    ["session_logout", userId],
    ["session_logout", userId],
    ["session_logout", undefined],
    ["session_logout", undefined],
    ["session_logout", undefined],
  ]);
});

describe("logout ends the session", () => {
  async function expectEnded(pair: Pair, call: () => ReturnType<typeof sandbox.logout>, cookie?: string) {
    const response = await expectRequests(["DeleteItem sessions"], call);
    expectJson(response, 200, { msg: "success" });
    expect(response.cookies).toEqual(cookie && [cookie]);
    expect(await service.findSession(pair)).toBeUndefined();
  }

  test("of a pair whose access token has expired", async () => {
    const pair = await service.logIn();
    clock.advance(80_000);
    await expectEnded(pair, () => sandbox.logout({ cookies: pair.cookies }), cleared);
  });

  test("of a pair that was replaced", async () => {
    const pair = await service.logIn();
    await service.rotate(pair);
    clock.advance(3_600);
    await expectEnded(pair, () => sandbox.logout({ cookies: pair.cookies }), cleared);
  });

  test("of a live access token whose refresh token is another one", async () => {
    const [pair, other] = [await service.logIn(), await service.logIn()];
    const cookies = [cookieOf({ token: pair.token, refreshToken: other.refreshToken })];
    await expectEnded(pair, () => sandbox.logout({ cookies }), cleared);
    expect(await service.findSession(other)).toBeDefined();
  });

  test("of a live access token in the Authorization header", async () => {
    const pair = await service.logIn();
    await expectEnded(pair, () => sandbox.logout({ headers: bearer(pair) }));
  });

  test("of a bearer client's pair, and sets no cookie", async () => {
    const pair = await service.logIn();
    clock.advance(1_000);
    const headers = { "auth-mode": "bearer" };
    await expectEnded(pair, () => sandbox.logout({ headers, body: bodyOfPair(pair) }));
  });

  test("again when it has ended already", async () => {
    const pair = await service.logIn();
    await sandbox.logout({ cookies: pair.cookies });
    await expectEnded(pair, () => sandbox.logout({ cookies: pair.cookies }), cleared);
  });

  test("with a cleared cookie of the configured name, path and domain", async () => {
    const pair = await service.logIn();
    const settings = { COOKIE_NAME: "session", COOKIE_SAME_SITE: "None", COOKIE_DOMAIN: "example.com" };
    const configured = service.createSandbox(settings);
    await expectEnded(
      pair,
      () => configured.logout({ cookies: [cookieOf(bodyOfPair(pair), "session")] }),
      "session=; HttpOnly; Secure; SameSite=None; Path=/; Max-Age=0; Domain=example.com",
    );
  });
});

describe("logout answers 200 and ends nothing", () => {
  async function expectNothing(pair: Pair, call: () => ReturnType<typeof sandbox.logout>, cookie?: string) {
    const response = await expectRequests([], call);
    expectJson(response, 200, { msg: "success" });
    expect(response.cookies).toEqual(cookie && [cookie]);
    expect((await service.refresh(pair)).statusCode).toBe(200);
    await service.expectControlUnharmed();
  }

  test("C01 without credentials", async () => {
    await expectNothing(await service.logIn(), () => sandbox.logout(), cleared);
  });

  test.each([
    ["empty", ""],
    ["no JSON", "x"],
    ["undecodable", "%E0%A4%A"],
    ["a JSON array", encodeURIComponent("[]")],
  ])("with a cookie that is %s, which it clears", async (_, value) => {
    const cookies = [`auth-cookie=${value}`];
    await expectNothing(await service.logIn(), () => sandbox.logout({ cookies }), cleared);
  });

  test("with a forged pair", async () => {
    const pair = await service.logIn();
    const token = `${pair.token.slice(0, -8)}AAAAAAAA`;
    const cookies = [cookieOf({ token, refreshToken: pair.refreshToken })];
    await expectNothing(pair, () => sandbox.logout({ cookies }), cleared);
  });

  test("with an expired access token and a foreign refresh token", async () => {
    const [pair, other] = [await service.logIn(), await service.logIn()];
    clock.advance(906);
    const cookies = [cookieOf({ token: pair.token, refreshToken: other.refreshToken })];
    await expectNothing(pair, () => sandbox.logout({ cookies }), cleared);
  });

  test("with an expired access token in the Authorization header", async () => {
    const pair = await service.logIn();
    clock.advance(906);
    await expectNothing(pair, () => sandbox.logout({ headers: bearer(pair) }));
  });

  test.each(["Basic dXNlcjpwYXNz", "Bearer", "Bearer x", "x"])(
    "with Authorization: %s",
    async (authorization) => {
      await expectNothing(await service.logIn(), () => sandbox.logout({ headers: { authorization } }));
    },
  );

  test("for a pair in the body without Auth-Mode: bearer", async () => {
    const pair = await service.logIn();
    await expectNothing(pair, () => sandbox.logout({ body: bodyOfPair(pair) }), cleared);
  });

  test.each([undefined, {}, [], { token: 1 }, { token: "x" }, { token: "x", refreshToken: "y" }])(
    "for a bearer client with the body %j",
    async (body) => {
      const headers = { "auth-mode": "bearer" };
      await expectNothing(await service.logIn(), () => sandbox.logout({ headers, body }));
    },
  );
});

describe("logout is refused", () => {
  test("with two kinds of credentials", async () => {
    const pair = await service.logIn();
    const { cookies } = pair;
    const mode = { "auth-mode": "bearer" };
    for (const request of [
      { cookies, headers: bearer(pair) },
      { cookies, headers: mode, body: bodyOfPair(pair) },
      { headers: { ...mode, ...bearer(pair) }, body: bodyOfPair(pair) },
      { headers: { ...mode, ...bearer(pair) }, body: { token: 1 } },
      { cookies: ["auth-cookie=broken"], headers: bearer(pair) },
    ]) {
      await expectRefusal(() => sandbox.logout(request), refusals.conflict);
    }
    expect(await service.findSession(pair)).toBeDefined();
  });

  test("from another site", async () => {
    const pair = await service.logIn();
    const headers = { "sec-fetch-site": "cross-site" };
    await expectRefusal(() => sandbox.logout({ cookies: pair.cookies, headers }), refusals.crossSite);
    expect(await service.findSession(pair)).toBeDefined();
  });

  test("S13 with 503 and the cookie kept while the deletion is not confirmed; a later logout works", async () => {
    const pair = await service.logIn();
    wire.break("DeleteItem sessions", fail, { times: 3 });
    const deletions = Array.from({ length: 3 }, () => "DeleteItem sessions");
    await expectRefusal(() => sandbox.logout({ cookies: pair.cookies }), refusals.unavailable, deletions);
    expect(await service.findSession(pair)).toBeDefined();
    expectCookie(await sandbox.logout({ cookies: pair.cookies }));
    expect(await service.findSession(pair)).toBeUndefined();
  });
});
