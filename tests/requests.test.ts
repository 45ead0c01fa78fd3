import { describe, expect, test } from "@jest/globals";
import { expectProblem, refusals } from "./support/answer.ts";
import { clock } from "./support/clock.ts";
import { routeNames } from "./support/event.ts";
import { keepSecrets, log } from "./support/log.ts";
import { startService } from "./support/service.ts";

const service = await startService();
const { sandbox, expectRefusal } = service;
const account = await service.register();
const { email, password } = account;
const domain = "https://abcdefghij.execute-api.eu-central-1.amazonaws.com";
const listed = "https://app.example.com";
const listing = service.createSandbox({
  ALLOWED_ORIGINS: `${listed},http://localhost:5173`,
  ISSUER: "https://auth.example.com",
});

/** The state-changing routes with a request that each accepts, and the status it then answers. */
const changing = [
  {
    route: "register" as const,
    status: 201,
    good: async () => ({
      body: { email: `ada.${Math.random().toString(36).slice(2)}@example.com`, password },
    }),
  },
  { route: "login" as const, status: 200, good: async () => ({ body: { email, password } }) },
  {
    route: "refresh" as const,
    status: 200,
    good: async () => ({ cookies: (await service.logIn()).cookies }),
  },
  { route: "logout" as const, status: 200, good: async () => ({ cookies: (await service.logIn()).cookies }) },
];

describe.each(changing)("$route from a page", ({ route, status, good }) => {
  let acceptable: Awaited<ReturnType<typeof good>> | undefined;

  test.each([
    ["H01 H09 another site", { "sec-fetch-site": "cross-site" }],
    ["H02 a sibling site", { "sec-fetch-site": "same-site" }],
    ["another site, with an own origin", { "sec-fetch-site": "cross-site", origin: domain }],
    ["H07 somewhere new", { "sec-fetch-site": "something-new" }],
    ["nowhere", { "sec-fetch-site": "" }],
    ["H04 an unlisted origin", { origin: "https://elsewhere.example" }],
    [
      "an unlisted origin that calls itself a sibling",
      { origin: "https://evil.example.com", "sec-fetch-site": "same-site" },
    ],
    ["H04 the null origin", { origin: "null" }],
    ["the null origin of another site", { origin: "null", "sec-fetch-site": "cross-site" }],
    ["an empty origin", { origin: "" }],
    ["H04 a listed origin with more after it", { origin: `${listed}.evil.example` }],
    ["H04 a listed origin with more before it", { origin: `https://evil-app.example.com` }],
    ["a listed origin over http", { origin: "http://app.example.com" }],
    ["a listed origin at another port", { origin: `${listed}:8443` }],
    ["a listed origin in another case", { origin: "https://APP.example.com" }],
    ["a listed origin with a path", { origin: `${listed}/` }],
    ["E02 two origins joined by a comma", { origin: `${listed}, ${listed}` }],
    ["the own domain over http", { origin: domain.replace("https", "http") }],
    [
      "H17 a forged Host",
      { origin: "https://evil.example", host: "evil.example", "x-forwarded-host": "evil.example" },
    ],
  ])("is refused for %s", async (_, headers) => {
    acceptable ??= await good();
    const request = { ...acceptable, headers };
    await expectRefusal(() => listing[route](request), refusals.crossSite);
  });

  test.each([
    ["H03 itself", { "sec-fetch-site": "same-origin" }],
    [
      "H06 itself, with an origin the gateway does not know",
      { "sec-fetch-site": "same-origin", origin: "https://proxy.example" },
    ],
    ["H03 the user", { "sec-fetch-site": "none" }],
    ["H04 a listed origin", { origin: listed }],
    ["a listed origin on another site", { origin: listed, "sec-fetch-site": "cross-site" }],
    ["a listed origin on a sibling site", { origin: "http://localhost:5173", "sec-fetch-site": "same-site" }],
    ["H07 somewhere new, from a listed origin", { origin: listed, "sec-fetch-site": "something-new" }],
    ["the gateway's own domain", { origin: domain }],
    ["the issuer's origin", { origin: "https://auth.example.com" }],
    ["H05 no browser", {}],
  ])("is let through for %s", async (_, headers) => {
    const own = {
      register: listing.register,
      login: listing.login,
      refresh: sandbox.refresh,
      logout: sandbox.logout,
    };
    const isLater = "origin" in headers && route !== "register" && route !== "login";
    // Tokens of one issuer are no tokens of another, so refresh and logout log in where they are called.
    const request = isLater
      ? { cookies: (await service.logIn({ as: listing, account })).cookies }
      : await good();
    const call = isLater ? listing[route] : own[route];
    expect((await call({ ...request, headers })).statusCode).toBe(status);
  });
});

describe.each([
  { route: "register" as const, body: { email: "grace@example.com", password }, headers: {} },
  { route: "login" as const, body: { email, password }, headers: {} },
  {
    route: "refresh" as const,
    body: { token: "x.y.z", refreshToken: "r" },
    headers: { "auth-mode": "bearer" },
  },
  {
    route: "logout" as const,
    body: { token: "x.y.z", refreshToken: "r" },
    headers: { "auth-mode": "bearer" },
  },
])("the body of $route", ({ route, body, headers }) => {
  const json = JSON.stringify(body);
  const name = Object.keys(body)[1] as string;
  keepSecrets("never-log-this-value", "never%2Dlog%2Dthis");

  test.each([
    ["cut off", json.slice(0, -1)],
    ["in the middle of a value", `{"password":"never-log-this-value`],
    ["with a trailing comma", `${json.slice(0, -1)},}`],
    ["in single quotes", json.replaceAll('"', "'")],
    ["with a comment", `${json}// never-log-this-value`],
    ["with NaN", `{"password":NaN}`],
    ["followed by a second document", `${json}${json}`],
    ["followed by garbage", `${json}never-log-this-value`],
    ["preceded by a byte order mark", `\ufeff${json}`],
    ["B01 of blanks", "   "],
    ["a form", "email=ada&password=never-log-this-value"],
    ["of NUL bytes", "\0\0\0"],
  ])("G02 is refused when it is %s, and none of it is logged", async (_, text) => {
    await expectRefusal(() => sandbox[route]({ headers, body: text }), refusals.notJson);
    expect(JSON.stringify(log.entries())).not.toContain("never-log-this-value");
  });

  test.each([
    ["invalid UTF-8", Buffer.concat([Buffer.from(json.slice(0, -2)), Buffer.from([0xff, 0xfe, 0x22, 0x7d])])],
    ["an overlong encoding", Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc0, 0xaf, 0x22, 0x7d])])],
    ["UTF-16", Buffer.from(json, "utf16le")],
    [
      "a lone surrogate in UTF-8",
      Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xed, 0xa0, 0x80, 0x22, 0x7d])]),
    ],
  ])("is refused in %s", async (_, bytes) => {
    const request = { headers, body: bytes.toString("base64"), isBase64Encoded: true };
    await expectRefusal(() => sandbox[route](request), refusals.notJson);
  });

  test("is read from base64, refused when it is not base64, and read as it is when the flag is no boolean", async () => {
    const encoded = Buffer.from(json).toString("base64");
    const known = await sandbox[route]({ headers, body: json });
    const again = await sandbox[route]({ headers, body: encoded, isBase64Encoded: true });
    expect([again.statusCode, known.statusCode]).not.toContain(500);
    expect(again.statusCode).toBe(route === "register" ? 409 : known.statusCode);
    for (const [text, isBase64Encoded] of [
      ["!!!! never-log-this-value", true],
      [encoded, "true"],
      [encoded, false],
    ] as [string, boolean][]) {
      await expectRefusal(() => sandbox[route]({ headers, body: text, isBase64Encoded }), refusals.notJson);
    }
  });

  test.each([
    ["a name", `{"${name}":"first",${json.slice(1)}`],
    [
      "a name, the second time escaped",
      `{"\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}":"first",${json.slice(1)}`,
    ],
    ["an unknown name", `{"x":1,"x":2,${json.slice(1)}`],
  ])("is refused when it has %s twice", async (_, text) => {
    await expectRefusal(() => sandbox[route]({ headers, body: text }), refusals.repeatedName);
  });

  test.each(['{"__proto__":{"admin":true},', '{"constructor":{"prototype":{"admin":true}},'])(
    "is refused with %s",
    async (start) => {
      await expectRefusal(() => sandbox[route]({ headers, body: start + json.slice(1) }), refusals.notJson);
      expect(({} as { admin?: boolean }).admin).toBeUndefined();
    },
  );

  test.each([
    ["of 16,385 bytes", `${json.slice(0, -1)},"pad":"${"x".repeat(16_385)}`.slice(0, 16_385), false],
    ["of 16,385 bytes in fewer characters", "é".repeat(8_193), false],
    ["of 16,385 bytes in base64", Buffer.alloc(16_385, 0x20).toString("base64"), true],
    ["B05 of 6 MB", "x".repeat(6_000_000), false],
    ["B19 of 1 MB of escapes", `"${"\\u0061".repeat(170_000)}"`, false],
    ["B20 of a number with 5,000,000 digits", "7".repeat(5_000_000), false],
    ["B07 of 100,000 names", `{${Array.from({ length: 100_000 }, (_, i) => `"${i}":0`).join()}}`, false],
  ])("is refused %s", async (_, text, isBase64Encoded) => {
    await expectRefusal(() => sandbox[route]({ headers, body: text, isBase64Encoded }), refusals.tooLarge);
    const elsewhere = { ...headers, "content-type": "text/plain" };
    await expectRefusal(
      () => sandbox[route]({ headers: elsewhere, body: text, isBase64Encoded }),
      refusals.tooLarge,
    );
  });

  test.each([
    ["arrays", "[", "]", 8_000],
    ["objects", '{"a":', "}", 2_500],
  ])("B06 breaks nothing with thousands of nested %s", async (_, open, close, depth) => {
    const nested = `${open.repeat(depth)}1${close.repeat(depth)}`;
    for (const text of [nested, `{"x":${nested},${json.slice(1)}`]) {
      const response = await sandbox[route]({ headers, body: text });
      expect(response.cookies).toBeUndefined();
      // Logout answers 200 to credentials that are none of ours.
      expect(route === "logout" ? [200, 400] : [400]).toContain(response.statusCode);
    }
    await service.expectControlUnharmed();
  });

  test.each([
    ["none", ""],
    ["H08 text/plain", "text/plain"],
    ["a form's", "application/x-www-form-urlencoded"],
    ["a multipart form's", "multipart/form-data; boundary=x"],
    ["JSON in another character set", "application/json; charset=utf-16"],
    ["JSON with an unknown parameter", "application/json; version=1"],
    ["a vendor's JSON", "application/vnd.api+json"],
    ["JSON after another", "text/plain, application/json"],
    ["JSON before another", "application/json, text/plain"],
    ["JSON, almost", "application/jsonp"],
  ])("is refused when its content type is %s", async (_, type) => {
    const request = { headers: { ...headers, "content-type": type }, body: json };
    await expectRefusal(() => sandbox[route](request), refusals.wrongType);
  });

  test.each([
    "application/json",
    "Application/JSON",
    "application/json;charset=UTF-8",
    'application/json; charset="utf-8"',
  ])("is read when its content type is %s", async (type) => {
    const { statusCode } = await sandbox[route]({
      headers: { ...headers, "content-type": type },
      body: json,
    });
    expect(statusCode).toBe({ register: 409, login: 200, refresh: 400, logout: 200 }[route]);
  });

  test.each([undefined, "", null])("B01 may be absent as far as its form goes: %j", async (absent) => {
    const event = { headers: { ...headers, "content-type": "text/plain" }, body: absent };
    const response = await sandbox.invoke(route, event);
    if (route === "refresh") expectProblem(response, refusals.noCredentials);
    else if (route === "logout") expect(response.statusCode).toBe(200);
    else expectProblem(response, refusals.noObject);
  });

  test.each(["null", "[]", "[{}]", '"x"', "1", "true"])("is refused when it is %s", async (text) => {
    const response = await sandbox[route]({ headers, body: text });
    expect(response.cookies).toBeUndefined();
    if (route === "logout") expect(response.statusCode).toBe(200);
    else expectProblem(response, route === "refresh" ? refusals.invalidJwt : refusals.noObject);
  });
});

test("a body of 16,384 bytes is still read", async () => {
  const start = `{"email":"${email}","password":"`;
  const body = `${start}${"x".repeat(16_384 - start.length - 2)}"}`;
  expect(body).toHaveLength(16_384);
  expectProblem(await sandbox.login({ body }), {
    status: 400,
    code: "invalid_body",
    detail: "password must have 1 to 256 characters",
    errors: [{ pointer: "#/password", detail: "must have 1 to 256 characters" }],
  });
});

describe.each(routeNames)("whatever invokes %s", (route) => {
  const isPublic = route === "jwks" || route === "discovery";
  const statuses = isPublic || route === "logout" ? [200] : [400, 401, 404, 405, 413, 415];

  test.each([
    ["nothing", undefined],
    ["null", null],
    ["a text", "ping"],
    ["a number", 1],
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
    ["a circle", Object.assign({}, { requestContext: { http: { method: {}, sourceIp: [] } } })],
    [
      "payload format 1.0",
      {
        version: "1.0",
        httpMethod: "GET",
        path: "/movies",
        multiValueHeaders: { Cookie: ["a=b"] },
        headers: { Cookie: "a=b" },
      },
    ],
  ])("E03 E13 is answered, and never with a 500: %s", async (_, event) => {
    const response = await sandbox.invoke(route, event);
    expect(statuses).toContain(response.statusCode);
    expect(response.headers["x-content-type-options"]).toBe("nosniff");
    if (response.statusCode >= 400) expect(response.cookies).toBeUndefined();
  });

  test("gets a 4xx for a body that is an object", async () => {
    const event = {
      headers: { "content-type": "application/json", "auth-mode": "bearer" },
      body: { token: "x" },
    };
    expect((await sandbox.invoke(route, event)).statusCode).toBeLessThan(500);
  });
});

test("T10 a sandbox that was frozen for hours reads the time of the request", async () => {
  const { cookies } = await service.logIn();
  expect((await sandbox.movies({ cookies })).statusCode).toBe(200);
  clock.advance(7_200);
  expectProblem(await sandbox.movies({ cookies }), refusals.invalidToken);
});
