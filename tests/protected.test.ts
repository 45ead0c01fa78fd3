import { describe, expect, test } from "@jest/globals";
import { expectJson, expectProblem, refusals } from "./support/answer.ts";
import { clock } from "./support/clock.ts";
import { createKey, keySettings } from "./support/keys.ts";
import { cookieOf, type Pair } from "./support/pair.ts";
import { signingKey, startService } from "./support/service.ts";

const service = await startService();
const { sandbox, expectRequests, expectRefusal } = service;
const movies = ["Avatar", "Avengers"];
const bearer = ({ token }: Pick<Pair, "token">) => ({ authorization: `Bearer ${token}` });

/** Asserts that nobody is asked, nothing is set, and the handler's answer is this. */
async function expectOpen(call: () => ReturnType<typeof sandbox.movies>, body: unknown = movies) {
  const response = await expectRequests([], call);
  expectJson(response, 200, body);
  expect(response.cookies).toBeUndefined();
}

describe("GET /movies opens", () => {
  test("with the cookie", async () => {
    const { cookies } = await service.logIn();
    await expectOpen(() => sandbox.movies({ cookies }));
  });

  test("with the cookie in a raw Cookie header", async () => {
    const { cookies } = await service.logIn();
    await expectOpen(() => sandbox.movies({ headers: { cookie: `a=b; ${cookies[0]}` } }));
  });

  test.each(["Bearer ", "bearer ", "BEARER ", "Bearer   ", " Bearer "])(
    "C24 H18 with Authorization: %j and the token",
    async (scheme) => {
      const { token } = await service.logIn();
      await expectOpen(() => sandbox.movies({ headers: { authorization: `${scheme}${token}` } }));
    },
  );

  test("R41 with the token of a pair that was replaced, or logged out, until it expires", async () => {
    const first = await service.logIn();
    const second = await service.rotate(first);
    await expectOpen(() => sandbox.movies({ cookies: first.cookies }));
    await sandbox.logout({ cookies: second.cookies });
    await expectOpen(() => sandbox.movies({ cookies: second.cookies }));
  });

  test("H12 from another site too: it changes nothing, and CORS is the gateway's", async () => {
    const { token } = await service.logIn();
    const headers = {
      ...bearer({ token }),
      origin: "https://elsewhere.example",
      "sec-fetch-site": "cross-site",
    };
    await expectOpen(() => sandbox.movies({ headers }));
  });

  test("until 5 s of clock skew after the token expired, and not later", async () => {
    const { cookies } = await service.logIn();
    clock.advance(904);
    await expectOpen(() => sandbox.movies({ cookies }));
    clock.advance(1);
    await expectRefusal(() => sandbox.movies({ cookies }), refusals.invalidToken);
    expect((await sandbox.refresh({ cookies })).statusCode).toBe(200);
  });

  test("without any table's name, with public keys only", async () => {
    const { USERS_TABLE: _, SESSIONS_TABLE: __, JWT_SIGNING_KEYS: ___, ...environment } = service.environment;
    const { createSandbox } = await import("./support/sandbox.ts");
    const verifyOnly = createSandbox(environment);
    const { cookies, claims } = await service.logIn();
    await expectOpen(() => verifyOnly.movies({ cookies }));
    await expectOpen(() => verifyOnly.me({ cookies }), claims);
  });
});

test("GET /auth/me answers the caller's claims", async () => {
  const { cookies, claims, token } = await service.logIn();
  await expectOpen(() => sandbox.me({ cookies }), claims);
  await expectOpen(() => sandbox.me({ headers: bearer({ token }) }), claims);
});

describe.each(["movies", "me"] as const)("%s is refused", (route) => {
  test.each([
    ["C01 nothing", {}],
    ["other cookies", { cookies: ["session=x"] }],
    ["a pair in the body", { headers: { "auth-mode": "bearer" }, body: { token: "x", refreshToken: "y" } }],
  ])("with a plain challenge for %s", async (_, request) => {
    await expectRefusal(() => sandbox[route](request), refusals.noCredentials);
  });

  test.each(["", "auth-cookie=", "x", encodeURIComponent("[]"), encodeURIComponent("{}"), "%"])(
    "with invalid_token for the cookie value %j",
    async (value) => {
      await expectRefusal(() => sandbox[route]({ cookies: [`auth-cookie=${value}`] }), refusals.invalidToken);
    },
  );

  test("C10 with invalid_token for a cookie without its refresh token", async () => {
    const { token } = await service.logIn();
    await expectRefusal(() => sandbox[route]({ cookies: [cookieOf({ token })] }), refusals.invalidToken);
  });

  test("C03 with invalid_token for two cookies with different values", async () => {
    const [a, b] = [await service.logIn(), await service.logIn()];
    const cookies = [...a.cookies, ...b.cookies];
    await expectRefusal(() => sandbox[route]({ cookies }), refusals.invalidToken);
  });

  test.each([
    "",
    "Bearer",
    "Bearer ",
    "Basic dXNlcjpwYXNzd29yZA==",
    "Bearer a b",
    "Bearer x\r\nset-cookie: auth-cookie=y",
    "Bearer,x",
    "Token x",
    `Bearer ${"x".repeat(100_000)}`,
  ])("H18 H19 with invalid_token for the Authorization header %.40j", async (authorization) => {
    await expectRefusal(() => sandbox[route]({ headers: { authorization } }), refusals.invalidToken);
  });

  test("J50 with invalid_token for a refresh token as bearer", async () => {
    const { refreshToken } = await service.logIn();
    await expectRefusal(
      () => sandbox[route]({ headers: bearer({ token: refreshToken }) }),
      refusals.invalidToken,
    );
  });

  test("with 400 for a cookie beside an Authorization header, whatever they hold", async () => {
    const pair = await service.logIn();
    for (const request of [
      { cookies: pair.cookies, headers: bearer(pair) },
      { cookies: pair.cookies, headers: { authorization: "Basic x" } },
      { cookies: ["auth-cookie=x"], headers: bearer(pair) },
    ]) {
      await expectRefusal(() => sandbox[route](request), refusals.conflict);
    }
  });

  test("K11 for sessions from before SESSIONS_NOT_BEFORE", async () => {
    const { cookies } = await service.logIn();
    const [ends, keeps] = [clock.now + 1, clock.now].map((time) =>
      service.createSandbox({ SESSIONS_NOT_BEFORE: String(time) }),
    );
    expectProblem((await ends?.[route]({ cookies })) as never, refusals.invalidToken);
    expect((await keeps?.[route]({ cookies }))?.statusCode).toBe(200);
  });

  test("for a token that lives longer than ACCESS_TOKEN_TTL_SECONDS, which still refreshes", async () => {
    const { cookies } = await service.logIn();
    const lowered = service.createSandbox({ ACCESS_TOKEN_TTL_SECONDS: "899" });
    expectProblem(await lowered[route]({ cookies }), refusals.invalidToken);
    expect((await lowered.refresh({ cookies })).statusCode).toBe(200);
  });
});

describe("an unknown path", () => {
  test.each(["/", "/movies/", "/Movies", "/auth", "/auth/refresh/x", "//movies", "/%ff", "/../movies"])(
    "H16 %s is a 404",
    async (path) => {
      for (const method of ["GET", "POST", "TRACE"]) {
        await expectRefusal(() => sandbox.notFound({ method, path }), {
          status: 404,
          code: "not_found",
          detail: "There is no such path.",
        });
      }
    },
  );

  test.each([
    ["GET", "/auth/logout", "POST"],
    ["PUT", "/auth/refresh", "POST"],
    ["POST", "/movies", "GET"],
    ["HEAD", "/movies", "GET"],
    ["DELETE", "/auth/me", "GET"],
  ])("H16 with a wrong method is a 405: %s %s", async (method, path, allow) => {
    const { cookies } = await service.logIn();
    await expectRefusal(() => sandbox.notFound({ method, path, cookies }), {
      status: 405,
      code: "method_not_allowed",
      detail: `This path takes ${allow}.`,
      headers: { allow },
    });
    expect((await service.refresh(await service.logIn())).statusCode).toBe(200);
  });
});

test("the published documents can be kept, and hold public keys only", async () => {
  const rsa = createKey("RS256");
  const published = service.createSandbox(keySettings(signingKey, rsa));
  const cacheable = { "cache-control": "public, max-age=600" };
  for (const route of ["jwks", "discovery"] as const) {
    const response = await expectRequests([], () => published[route]());
    expect(response.statusCode).toBe(200);
    expect(response.headers).toMatchObject(cacheable);
    expect(response.body).not.toContain(signingKey.d);
    expect(response.body).not.toContain(rsa.d);
  }
});
