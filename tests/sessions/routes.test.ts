import { randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { expectJson, expectNoContent, expectProblem, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import type { ClientRequest, RouteName } from "../support/event.ts";
import { keepSecrets, log } from "../support/log.ts";
import type { Pair } from "../support/pair.ts";
import { startService } from "../support/service.ts";

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
const withBody = ours.flatMap(({ route, request: { body } }) => (body ? [{ route, body }] : []));

const bearer = ({ token }: Pair) => ({ authorization: `Bearer ${token}` });

describe.each(ours)("$route", ({ route, changes, request }) => {
  test("asks for credentials, and sends no request without valid ones", async () => {
    const [pair, other] = [await service.logIn(), await service.logIn()];
    const forged = `${pair.token.slice(0, -4)}AAAA`;
    const call = (more: ClientRequest) => () => sandbox[route]({ ...request, ...more });
    await expectRefusal(call({}), refusals.noCredentials);
    await expectRefusal(call({ cookies: ["auth-cookie=x"] }), refusals.invalidToken);
    await expectRefusal(call({ headers: { authorization: `Bearer ${forged}` } }), refusals.invalidToken);
    await expectRefusal(call({ headers: { authorization: "Bearer" } }), refusals.invalidToken);
    await expectRefusal(call({ cookies: [...pair.cookies, ...other.cookies] }), refusals.invalidToken);
    await expectRefusal(call({ cookies: pair.cookies, headers: bearer(pair) }), refusals.conflict);
    clock.advance(905);
    await expectRefusal(call({ cookies: pair.cookies }), refusals.invalidToken);
  });

  test("takes a bearer token, and never sets a cookie", async () => {
    const account = await service.addAccount();
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

  // Which origins may call is a table of lib/http/cross-site.test.ts.
  test("is called from pages of this site and listed ones, and changes nothing for another", async () => {
    const { cookies } = await service.logIn();
    const another = { "sec-fetch-site": "cross-site" };
    if (changes)
      await expectRefusal(
        () => listing[route]({ ...request, cookies, headers: another }),
        refusals.crossSite,
      );
    for (const headers of [{ "sec-fetch-site": "same-origin" }, { ...another, origin: listed }])
      expectProblem(await listing[route]({ ...request, headers }), refusals.noCredentials);
  });
});

// What may be JSON is a table of lib/http/json-body.test.ts.
describe.each(withBody)("the body of $route", ({ route, body }) => {
  const text = JSON.stringify(body);
  const [name = ""] = Object.keys(body as object);

  test.each([
    ["a form", "password=never-log-this-value", refusals.notJson],
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

  test("is refused when it is no object, or has a field too many", async () => {
    const { cookies } = await service.logIn();
    const steps = ["GetItem sessions"];
    await expectRefusal(() => sandbox[route]({ cookies, body: "null" }), refusals.noObject, steps);
    const errors = [{ pointer: "#/email", detail: "is not known" }];
    await expectRefusal(
      () => sandbox[route]({ cookies, body: { ...(body as object), email: "ada@example.com" } }),
      { status: 400, code: "invalid_body", detail: "email is not known", errors },
      steps,
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

test("S18 every read that any route sends is strongly consistent, and of a table", async () => {
  const { wire } = service;
  const account = await service.addAccount();
  const { email, password } = account;
  const newPassword = `${password} and more`;
  keepSecrets(newPassword);
  await sandbox.register({ body: { email, password } });
  for (let i = 0; i < 6; i++) await sandbox.login({ body: { email, password: "not the right one" } });
  clock.advance(30);
  const first = await service.logIn({ account });
  const { cookies } = await service.rotate(first);
  await service.refresh(first);
  await sandbox.listSessions({ cookies });
  await sandbox.exportAccount({ cookies });
  await sandbox.changePassword({ cookies, body: { currentPassword: password, newPassword } });
  await sandbox.revokeAllSessions({ cookies, query: { except: "current" } });
  await sandbox.deleteAccount({ cookies, body: { password: newPassword } });
  const reads = wire.requests.filter(({ name }) => /^(Get|Query|Scan|BatchGet)/.test(name));
  const names = [...new Set(reads.map(({ name }) => name))].sort();
  expect(names).toEqual([
    ...["GetItem identities", "GetItem sessions", "GetItem users"],
    ...["Query audit", "Query sessions"],
  ]);
  for (const { name, parameters } of reads) {
    const { ConsistentRead, IndexName } = parameters;
    expect([name, ConsistentRead, IndexName]).toEqual([name, true, undefined]);
  }
});
