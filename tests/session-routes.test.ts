import { randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { ApiResponse } from "../lib/http/response.ts";
import { securityHeaders } from "../lib/http/response.ts";
import { expectJson, expectNoContent, expectProblem, refusals } from "./support/answer.ts";
import { clock } from "./support/clock.ts";
import type { ClientRequest, RouteName } from "./support/event.ts";
import { keepSecrets, log } from "./support/log.ts";
import type { Pair } from "./support/pair.ts";
import { startService } from "./support/service.ts";

const service = await startService();
const { sandbox, expectRefusal } = service;
const listed = "https://app.example.com";
const listing = service.createSandbox({ ALLOWED_ORIGINS: listed });
const sessionId = randomUUID();
const passwords = { currentPassword: "a long and private sentence", newPassword: "another private sentence" };
const password = "a long and private sentence";

/** Every route for a caller's own sessions and account, and what it is sent beside credentials. */
const ours: { route: RouteName; changes: boolean; request: ClientRequest }[] = [
  { route: "listSessions", changes: false, request: {} },
  { route: "exportAccount", changes: false, request: {} },
  { route: "revokeSession", changes: true, request: { pathParameters: { sessionId } } },
  { route: "revokeAllSessions", changes: true, request: {} },
  { route: "changePassword", changes: true, request: { body: passwords } },
  { route: "deleteAccount", changes: true, request: { body: { password } } },
];
const changing = ours.filter(({ changes }) => changes);
const withBody = ours.flatMap(({ route, request: { body } }) => (body ? [{ route, body }] : []));

const bearer = ({ token }: Pair) => ({ authorization: `Bearer ${token}` });

describe.each(ours)("$route", ({ route, request }) => {
  test("asks for credentials, and sends no request without valid ones", async () => {
    const pair = await service.logIn();
    const other = await service.logIn();
    const forged = `${pair.token.slice(0, -4)}AAAA`;
    const call = (more: ClientRequest) => () => sandbox[route]({ ...request, ...more });
    await expectRefusal(call({}), refusals.noCredentials);
    await expectRefusal(call({ cookies: ["auth-cookie=x"] }), refusals.invalidToken);
    await expectRefusal(call({ headers: { authorization: `Bearer ${forged}` } }), refusals.invalidToken);
    await expectRefusal(call({ headers: { authorization: "Basic x" } }), refusals.invalidToken);
    await expectRefusal(call({ cookies: [...pair.cookies, ...other.cookies] }), refusals.invalidToken);
    await expectRefusal(call({ cookies: pair.cookies, headers: bearer(pair) }), refusals.conflict);
    clock.advance(905);
    await expectRefusal(call({ cookies: pair.cookies }), refusals.invalidToken);
  });

  test("takes a bearer token, and never sets a cookie", async () => {
    const account = await service.register();
    const own = { currentPassword: account.password, newPassword: `${account.password} and more` };
    keepSecrets(own.newPassword);
    const pair = await service.logIn({ account });
    const response = await sandbox[route]({
      ...request,
      headers: bearer(pair),
      ...(route === "revokeSession" && { pathParameters: { sessionId: pair.key.sessionId } }),
      ...(route === "changePassword" && { body: own }),
      ...(route === "deleteAccount" && { body: { password: account.password } }),
    });
    expect(response.cookies).toBeUndefined();
    if (/^(revoke|delete)/.test(route)) expectNoContent(response);
    else expectJson(response, 200, expect.anything());
  });
});

describe.each(changing)("$route from a page", ({ route, request }) => {
  test.each([
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site", origin: "https://evil.example.com" },
    { "sec-fetch-site": "" },
    { origin: "https://elsewhere.example" },
    { origin: "null" },
    { origin: `${listed}.evil.example` },
  ])("is refused before anything is looked at: %j", async (headers) => {
    const { cookies } = await service.logIn();
    await expectRefusal(
      () => listing[route]({ ...request, cookies, headers: headers as Record<string, string> }),
      refusals.crossSite,
    );
  });

  test.each([
    { "sec-fetch-site": "same-origin" },
    { "sec-fetch-site": "none" },
    { origin: listed, "sec-fetch-site": "cross-site" },
    { origin: "https://abcdefghij.execute-api.eu-central-1.amazonaws.com" },
  ])("is let through: %j", async (headers) => {
    const response = await listing[route]({ ...request, headers: headers as Record<string, string> });
    expectProblem(response, refusals.noCredentials);
  });
});

describe.each(withBody)("the body of $route", ({ route, body }) => {
  const text = JSON.stringify(body);
  const [name = ""] = Object.keys(body as object);

  test.each([
    ["cut off", text.slice(0, -1), refusals.notJson],
    ["a form", "password=never-log-this-value", refusals.notJson],
    ["with a prototype", `{"__proto__":{"admin":true},${text.slice(1)}`, refusals.notJson],
    ["with a name twice", `{"${name}":"first",${text.slice(1)}`, refusals.repeatedName],
    ["too large", `${text.slice(0, -1)},"pad":"${"x".repeat(16_385)}"}`, refusals.tooLarge],
  ])("is refused without a request when it is %s, and none of it is logged", async (_, sent, refusal) => {
    keepSecrets("never-log-this-value");
    const { cookies } = await service.logIn();
    await expectRefusal(() => sandbox[route]({ cookies, body: sent }), refusal);
    const headers = { "content-type": "text/plain" };
    if (refusal !== refusals.tooLarge)
      await expectRefusal(() => sandbox[route]({ cookies, body: sent, headers }), refusals.wrongType);
    expect(JSON.stringify(log.entries())).not.toContain("never-log-this-value");
  });

  test.each(["null", "[]", '"x"', "1"])("is refused when it is %s", async (sent) => {
    const { cookies } = await service.logIn();
    await expectRefusal(() => sandbox[route]({ cookies, body: sent }), refusals.noObject, [
      "GetItem sessions",
    ]);
  });

  test("is refused with a field too many", async () => {
    const { cookies } = await service.logIn();
    const errors = [{ pointer: "#/email", detail: "is not known" }];
    await expectRefusal(
      () => sandbox[route]({ cookies, body: { ...(body as object), email: "ada@example.com" } }),
      { status: 400, code: "invalid_body", detail: "email is not known", errors },
      ["GetItem sessions"],
    );
  });
});

test.each([
  ["PUT", "/auth/sessions", "GET, DELETE"],
  ["GET", `/auth/sessions/${sessionId}`, "DELETE"],
  ["GET", "/auth/password", "POST"],
  ["POST", "/auth/account", "GET, DELETE"],
])("%s %s is a 405", async (method, path, methods) => {
  const response = await sandbox.notFound({ method, path });
  expect(response.statusCode).toBe(405);
  expect(response.headers.allow?.split(", ").sort()).toEqual(methods.split(", ").sort());
});

describe("whatever a client sends, the answer is a 2xx or 4xx with the security headers", () => {
  const weird = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("__proto__", "constructor", "toString", "current", "", "\0", "%00", "../..", "null"),
    fc.anything(),
  );
  const parameters = fc.oneof(fc.dictionary(fc.constantFrom("sessionId", "cursor", "except"), weird), weird);
  const body = fc.oneof(
    fc.json(),
    fc.string({ unit: "binary" }),
    fc.dictionary(fc.constantFrom("password", "currentPassword", "newPassword", "x"), weird).map((value) => {
      try {
        return JSON.stringify(value);
      } catch {
        return "{";
      }
    }),
    weird,
  );

  async function expectAnswered(response: ApiResponse) {
    expect(response.statusCode).toBeGreaterThanOrEqual(200);
    expect(response.statusCode).toBeLessThan(500);
    expect(response.headers).toMatchObject(securityHeaders);
    expect(response.cookies).toBeUndefined();
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  }

  test.each(ours)("$route", async ({ route }) => {
    const account = await service.register();
    const property = fc.asyncProperty(
      parameters,
      parameters,
      body,
      fc.boolean(),
      async (pathParameters, queryStringParameters, body, isBase64Encoded) => {
        // Other inputs than these would end the session or make later attempts wait.
        const { cookies } = current;
        const event = {
          headers: { "content-type": "application/json" },
          cookies,
          pathParameters,
          queryStringParameters,
          body,
          isBase64Encoded,
        };
        const response = await sandbox.invoke(route, event);
        await expectAnswered(response);
        // A session that "log out everywhere" ended still opens this route, but not the ones with a live check.
        expect([200, 204, 400, 401, 404, 413, 429]).toContain(response.statusCode);
      },
    );
    const current = await service.logIn({ account });
    await fc.assert(property, { numRuns: 60 });
    if (route !== "revokeAllSessions") await service.rotate(current);
  });
});
