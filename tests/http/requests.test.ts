import { randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { bodyOf, expectCookie, expectProblem, refusals } from "../support/answer.ts";
import { type ClientRequest, routeNames } from "../support/event.ts";
import { keepSecrets, log } from "../support/log.ts";
import { pairOf } from "../support/pair.ts";
import { startService } from "../support/service.ts";

const service = await startService();
const { sandbox, expectRefusal } = service;
const account = await service.addAccount();
const { email, password } = account;
const domain = "https://abcdefghij.execute-api.eu-central-1.amazonaws.com";
const listed = "https://app.example.com";
const listing = service.createSandbox({ ALLOWED_ORIGINS: `${listed},http://localhost:5173` });
const cookiesOf = async () => (await service.logIn({ account })).cookies;

// Through the door, a sample: every Origin and Sec-Fetch-Site is in lib/http/cross-site.test.ts, and that each route
// refuses another site in tests/http/protections.test.ts.
describe.each<[route: "register" | "refresh" | "logout", status: number, good: () => Promise<ClientRequest>]>(
  [
    ["register", 201, async () => ({ body: { email: `${randomUUID().slice(0, 8)}@example.com`, password } })],
    ["refresh", 200, async () => ({ cookies: await cookiesOf() })],
    ["logout", 200, async () => ({ cookies: await cookiesOf() })],
  ],
)("%s from a page", (route, status, good) => {
  test.each([
    ["another site, with an own origin", { "sec-fetch-site": "cross-site", origin: domain }],
    ["H17 a forged Host", { origin: "https://evil.example", host: "evil.example" }],
  ])("is refused for %s", async (_, headers) => {
    const request = await good();
    await expectRefusal(() => listing[route]({ ...request, headers }), refusals.crossSite);
  });

  test("H04 is let through for a listed origin", async () => {
    const headers = { origin: listed, "sec-fetch-site": "cross-site" };
    expect((await listing[route]({ ...(await good()), headers })).statusCode).toBe(status);
  });
});

test("an app in a WebView, which is a bearer client, logs in and refreshes with an origin of its own kind", async () => {
  const headers = { origin: "capacitor://localhost", "sec-fetch-site": "cross-site", "auth-mode": "bearer" };
  const opened = await sandbox.login({ body: { email, password }, headers });
  expect(opened.statusCode).toBe(200);
  const { token, refreshToken } = bodyOf(opened);
  expect((await sandbox.refresh({ body: { token, refreshToken }, headers })).statusCode).toBe(200);
  const { origin, "sec-fetch-site": site } = headers;
  const ofCookies = { body: { email, password }, headers: { origin, "sec-fetch-site": site } };
  expectProblem(await sandbox.login(ofCookies), refusals.crossSite);
});

test.each<"login" | "refresh" | "logout">(["login", "refresh", "logout"])(
  "%s answers a page of another site, which says that it has a token, with no cookie",
  async (route) => {
    const headers = { origin: "https://evil.example", authorization: "Bearer x" };
    await expectRefusal(() => sandbox[route]({ body: { email, password }, headers }), refusals.crossSite);
  },
);

// The same: every body and content type is in lib/http/json-body.test.ts.
describe.each([
  { route: "login" as const, body: { email, password }, headers: {} },
  {
    route: "refresh" as const,
    body: { token: "x.y.z", refreshToken: "r" },
    headers: { "auth-mode": "bearer" },
  },
])("the body of $route", ({ route, body, headers }) => {
  const json = JSON.stringify(body);
  const send = (text: unknown, more: ClientRequest = {}) => sandbox[route]({ headers, body: text, ...more });
  keepSecrets("never-log-this-value", "never%2Dlog%2Dthis");

  test.each([
    ["followed by garbage", `${json}never-log-this-value`],
    ["B01 of blanks", "   "],
    ["a form", "email=ada&password=never-log-this-value"],
    ["B11 with __proto__", `{"__proto__":{"admin":true},${json.slice(1)}`],
  ])("G02 is refused when it is %s, and none of it is logged", async (_, text) => {
    await expectRefusal(() => send(text), refusals.notJson);
    expect(JSON.stringify(log.entries())).not.toContain("never-log-this-value");
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  test("B05 B12 H08 is refused with a name twice, a byte too many, or as text/plain", async () => {
    const [name] = Object.keys(body);
    await expectRefusal(() => send(`{"${name}":"first",${json.slice(1)}`), refusals.repeatedName);
    await expectRefusal(() => send("x".repeat(16_385)), refusals.tooLarge);
    const form = { headers: { ...headers, "content-type": "text/plain" } };
    await expectRefusal(() => send(json, form), refusals.wrongType);
  });

  test.each([undefined, "", null])("B01 may be absent as far as its form goes: %j", async (absent) => {
    const event = { headers: { ...headers, "content-type": "text/plain" }, body: absent };
    const response = await sandbox.invoke(route, event);
    expectProblem(response, route === "refresh" ? refusals.noCredentials : refusals.noObject);
  });

  test.each(["null", "[]", "true"])("B02 is refused when it is %s", async (text) => {
    expectProblem(await send(text), route === "refresh" ? refusals.invalidJwt : refusals.noObject);
  });
});

describe.each(routeNames)("whatever invokes %s", (route) => {
  // They need nothing, or take whatever comes.
  const statuses = ["logout", "beginPasskeyLogin"].includes(route)
    ? [200]
    : [400, 401, 403, 404, 405, 413, 415];
  const json = { "content-type": "application/json", "auth-mode": "bearer" };

  test.each([
    ["nothing", undefined],
    ["null", null],
    ["a text", "ping"],
    ["an array", []],
    ["an empty object", {}],
    ["a scheduled event", { source: "aws.events", "detail-type": "Scheduled Event", detail: {} }],
    ["null members", { headers: null, cookies: null, body: null, requestContext: null, rawPath: null }],
    ["members of other types", { headers: "x", cookies: "auth-cookie=x", requestContext: 1, rawPath: [] }],
    [
      "headers of other types",
      { headers: { "content-type": ["x"], cookie: 1, authorization: {}, origin: null } },
    ],
    ["cookies of other types", { cookies: [null, 1, {}, ["auth-cookie=x"]] }],
    ["a context of other types", { requestContext: { http: { method: {}, sourceIp: [] } } }],
    [
      "payload format 1.0",
      { version: "1.0", httpMethod: "GET", path: "/movies", headers: { Cookie: "a=b" } },
    ],
  ])("E03 E13 is answered, and never with a 500: %s", async (_, event) => {
    const response = await sandbox.invoke(route, event);
    expect(statuses).toContain(response.statusCode);
    if (response.statusCode >= 400) expect(response.cookies).toBeUndefined();
  });

  test("gets a 4xx for a body that is an object", async () => {
    const event = { headers: json, body: { token: "x" } };
    expect((await sandbox.invoke(route, event)).statusCode).toBeLessThan(500);
  });
});

// Which path takes which methods is in lib/http/routes.test.ts.
describe("an unknown path or method", () => {
  const notFound = { status: 404, code: "not_found", detail: "There is no such path." };
  test.each([
    ["GET", "/movies/", ""],
    ["TRACE", "/%ff", ""],
    ["HEAD", "/movies", "GET"],
    ["PUT", "/.well-known/jwks.json", "GET"],
    ...["GET", "HEAD", "DELETE", "OPTIONS"].map((method) => [method, "/auth/refresh", "POST"] as const),
    ["GET", "/auth/logout", "POST"],
  ] as const)(
    "R37 H10 H16 K05 %s %s is refused, the same with and without credentials, and the session lives",
    async (method, path, allow) => {
      const { cookies } = await service.logIn();
      const wrongMethod = { status: 405, code: "method_not_allowed", detail: `This path takes ${allow}.` };
      const refusal = allow ? { ...wrongMethod, headers: { allow } } : notFound;
      for (const credentials of [{}, { cookies }])
        await expectRefusal(() => sandbox.notFound({ method, path, ...credentials }), refusal);
      expectCookie(await sandbox.refresh({ cookies }));
    },
  );
});

test("E14 no function goes by the path that it was called under", async () => {
  const first = await service.logIn();
  const prefixed = (path: string) => ({ path: `/prod/v1${path}` });
  expect((await sandbox.movies({ ...prefixed("/movies"), cookies: first.cookies })).statusCode).toBe(200);
  const second = pairOf(await sandbox.refresh({ ...prefixed("/auth/refresh"), cookies: first.cookies }));
  await sandbox.logout({ ...prefixed("/auth/logout"), cookies: second.cookies });
  expect(await service.findSession(second)).toBeUndefined();
  for (const [route, path] of [
    ["openapi", "/openapi.json"],
    ["openapi", "/docs"],
    ["openapi", "/docs.css"],
    ["page", "/page.js"],
  ] as const) {
    const behind = await sandbox[route]({ ...prefixed(path), routeKey: `GET ${path}` });
    expect(behind).toEqual(await sandbox[route]({ path }));
  }
});

test("E14 a known path with another method is a 405 behind a prefix, too, where the issuer has it", async () => {
  const mapped = service.createSandbox({ ISSUER: "https://auth.example.com/v1" });
  const refusal = { status: 405, code: "method_not_allowed", detail: "This path takes GET." };
  for (const path of ["/v1/movies", "/movies"])
    expectProblem(await mapped.notFound({ method: "POST", path }), { ...refusal, headers: { allow: "GET" } });
  for (const path of ["/v1", "/v1movies", "/v1/v1/movies", "/v2/movies"])
    expect((await mapped.notFound({ method: "POST", path })).statusCode).toBe(404);
});

test("H17 a forged host changes neither cookie nor issuer nor links", async () => {
  const headers = {
    ...{ host: "evil.example", "x-forwarded-host": "evil.example" },
    ...{ "x-forwarded-proto": "http", forwarded: "host=evil.example" },
  };
  const response = await sandbox.login({ body: { email, password }, headers });
  expect(expectCookie(response)).toMatch(/; HttpOnly; Secure; SameSite=Strict; Path=\/; Max-Age=86400$/);
  expect(pairOf(response).claims.iss).toBe(service.environment.ISSUER);
  for (const route of ["discovery", "jwks"] as const)
    expect(await sandbox[route]({ headers })).toEqual(await sandbox[route]());
  const { instance, ...unknown } = bodyOf(await sandbox.notFound({ path: "/nowhere", headers }));
  expect(instance).toMatch(/^[0-9a-f-]{36}$/);
  expect(JSON.stringify([response, unknown])).not.toContain("evil");
});
