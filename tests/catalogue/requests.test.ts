import { beforeAll, describe, expect, test } from "@jest/globals";
import { type ApiResponse, securityHeaders } from "../../lib/http/response.ts";
import { bodyOf, expectCookie, expectProblem, refusals } from "../support/answer.ts";
import { fail } from "../support/faults.ts";
import { keepSecrets } from "../support/log.ts";
import { pairOf } from "../support/pair.ts";
import { startService } from "../support/service.ts";

const service = await startService();
const { sandbox, wire, expectRefusal } = service;
const methods = ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];

test.each(["refresh", "logout"] as const)(
  "R37 H10 %s takes POST only, and the session lives",
  async (name) => {
    const { cookies } = await service.logIn();
    for (const method of methods) {
      await expectRefusal(() => sandbox.notFound({ method, path: `/auth/${name}`, cookies }), {
        ...{ status: 405, code: "method_not_allowed", detail: "This path takes POST." },
        headers: { allow: "POST" },
      });
    }
    expectCookie(await sandbox.refresh({ cookies }));
  },
);

test("C16 a value in quotes is refused on protected routes as it is at refresh", async () => {
  const { cookies } = await service.logIn();
  const quoted = (cookies[0] ?? "").replace("=", '="').concat('"');
  await expectRefusal(() => sandbox.movies({ cookies: [quoted] }), refusals.invalidToken);
  await expectRefusal(() => sandbox.refresh({ cookies: [quoted] }), refusals.invalidJwt);
});

test("E14 no function goes by the path that it was called under", async () => {
  const first = await service.logIn();
  const prefixed = (path: string) => ({ path: `/prod/v1${path}` });
  expect((await sandbox.movies({ ...prefixed("/movies"), cookies: first.cookies })).statusCode).toBe(200);
  const second = pairOf(await sandbox.refresh({ ...prefixed("/auth/refresh"), cookies: first.cookies }));
  await sandbox.logout({ ...prefixed("/auth/logout"), cookies: second.cookies });
  expect(await service.findSession(second)).toBeUndefined();
});

test.each([
  ["an unknown path", "GET", "/nowhere"],
  ["a wrong method", "GET", "/auth/login"],
  ["TRACE", "TRACE", "/movies"],
])("H16 %s is answered the same with and without credentials", async (_, method, path) => {
  const { cookies } = await service.logIn();
  const [without, withOurs] = [
    await sandbox.notFound({ method, path }),
    await sandbox.notFound({ method, path, cookies }),
  ].map((response) => ({ ...response, body: { ...bodyOf(response), instance: "" } }));
  expect(withOurs).toEqual(without);
});

test("H17 a forged host changes neither cookie nor issuer nor links", async () => {
  const { email, password } = await service.register();
  const forged = {
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "http",
    forwarded: "host=evil.example",
  };
  const headers = { host: "evil.example", ...forged };
  const response = await sandbox.login({ body: { email, password }, headers });
  expect(expectCookie(response)).toMatch(/; HttpOnly; Secure; SameSite=Strict; Path=\/; Max-Age=86400$/);
  expect(pairOf(response).claims.iss).toBe(service.environment.ISSUER);
  expect(JSON.stringify(response)).not.toContain("evil");
  for (const route of ["discovery", "jwks"] as const) {
    expect(await sandbox[route]({ headers })).toEqual(await sandbox[route]());
  }
  const unknown = await sandbox.notFound({ path: "/nowhere", headers });
  expect(JSON.stringify(unknown)).not.toContain("evil");
});

describe("H14 the security headers, and none that names a product, are on every answer with the status", () => {
  let answers: ApiResponse[];
  beforeAll(async () => {
    answers = await gatherAnswers();
  });

  test.each([200, 201, 204, 400, 401, 403, 404, 405, 409, 413, 415, 429, 500, 503])("%i", (status) => {
    const found = answers.filter(({ statusCode }) => statusCode === status);
    expect(found.length).toBeGreaterThan(0);
    for (const { headers } of found) {
      const isKept = headers["cache-control"] === "public, max-age=600";
      if (isKept) expect(status).toBe(200);
      expect(headers).toMatchObject({
        ...securityHeaders,
        ...(isKept && { "cache-control": "public, max-age=600" }),
        ...(status !== 204 && {
          "content-type": expect.stringMatching(/^application\/(problem\+)?json; charset=utf-8$/),
        }),
      });
      const others = Object.keys(headers).filter((name) => !(name in securityHeaders));
      const known = ["content-type", "www-authenticate", "retry-after", "allow"];
      expect(others.filter((name) => !known.includes(name))).toEqual([]);
    }
  });
});

/** One answer of every route that succeeds, and of every refusal there is. */
async function gatherAnswers(): Promise<ApiResponse[]> {
  const answers: ApiResponse[] = [];
  const add = async (answer: Promise<ApiResponse>) => answers[answers.push(await answer) - 1] as ApiResponse;
  const body = { email: "headers@example.com", password: "a password with headers" };
  const next = "another password with headers";
  keepSecrets(body.password, next);
  await add(sandbox.register({ body }));
  await add(sandbox.register({ body }));
  const first = pairOf(await add(sandbox.login({ body })));
  const { cookies } = pairOf(await add(sandbox.refresh({ cookies: first.cookies })));
  for (const name of ["movies", "me", "listSessions", "exportAccount"] as const) {
    await add(sandbox[name]({ cookies }));
    await add(sandbox[name]());
  }
  for (const name of ["jwks", "discovery", "notFound"] as const) await add(sandbox[name]());
  await add(sandbox.notFound({ path: "/movies", method: "POST" }));
  await add(sandbox.refresh({ cookies: ["auth-cookie=x"] }));
  await add(sandbox.refresh({ cookies, headers: { "sec-fetch-site": "cross-site" } }));
  await add(sandbox.login({ body: "x".repeat(16_385) }));
  await add(sandbox.login({ body, headers: { "content-type": "text/plain" } }));
  const broken = service.createSandbox({ COOKIE_DOMAIN: `${"sub.".repeat(500)}example.com` });
  await add(broken.login({ body }));
  for (let i = 0; i < 7; i++) await add(sandbox.login({ body: { ...body, email: "no@example.com" } }));
  wire.break("UpdateItem sessions", fail, { times: 3 });
  await add(sandbox.refresh({ cookies: (await service.logIn()).cookies }));
  const passwords = { currentPassword: body.password, newPassword: next };
  await add(sandbox.changePassword({ cookies, body: passwords }));
  await add(sandbox.revokeSession({ cookies, pathParameters: { sessionId: first.key.sessionId } }));
  await add(sandbox.revokeAllSessions({ cookies }));
  await add(sandbox.logout({ cookies }));
  const last = pairOf(await add(sandbox.login({ body: { ...body, password: next } })));
  await add(sandbox.deleteAccount({ cookies: last.cookies, body: { password: next } }));
  expectProblem(await service.refresh(last), refusals.tokenExpired);
  return answers;
}
