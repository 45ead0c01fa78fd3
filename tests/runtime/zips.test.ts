import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { routeNames } from "../support/event.ts";
import { keepSecrets } from "../support/log.ts";
import { pairOf } from "../support/pair.ts";
import { startStage, told } from "./stage.ts";

const account = { email: "ada@example.com", password: "a long and private sentence" };
const changed = "another long and private sentence";
keepSecrets(account.password, changed);

/** A stage without mail. */
const stage = await startStage({ DEMO_PAGE: "on", SAMPLE: "on", DOCS: "on" });
const { database, lambdas, call, start, functionNames } = stage;

beforeAll(async () => {
  for (const name of functionNames) lambdas[name] = await start(name);
}, 180_000);
afterAll(() => stage.stop(), 60_000);

const logIn = async (password: string) => pairOf(await call("login", { body: { ...account, password } }));

describe("the packaged functions in AWS's runtime client", () => {
  test("register, log in, open a protected resource, refresh, repeat the refresh, log out", async () => {
    const own = expect.objectContaining({ email: account.email });
    expect(told(await call("register", { body: account }))).toEqual([201, own]);
    expect((await call("register", { body: account })).statusCode).toBe(409);

    const answer = await call("login", { body: account });
    expect(told(answer)).toEqual([200, { msg: "success" }]);
    expect(answer.cookies?.[0]).toMatch(
      /^__Host-auth-cookie=.*; HttpOnly; Secure; SameSite=Strict; Path=\/; /,
    );
    const { cookies } = pairOf(answer);
    expect(told(await call("movies", { cookies }))).toEqual([200, ["Avatar", "Avengers"]]);
    expect(told(await call("me", { cookies }))).toEqual([200, own]);

    const refreshed = await call("refresh", { cookies });
    const repeated = await call("refresh", { cookies });
    expect(told(refreshed)).toEqual([200, { msg: "success" }]);
    expect(repeated.cookies).toEqual(refreshed.cookies);

    const next = pairOf(refreshed);
    expect(told(await call("logout", { cookies: next.cookies }))).toEqual([200, { msg: "success" }]);
    const refused = await call("refresh", { cookies: next.cookies });
    expect(told(refused)).toEqual([400, expect.objectContaining({ detail: "token expired" })]);
    expect(refused.cookies).toBeUndefined();
  });

  test("list and end sessions, change the password, export and delete the account", async () => {
    const [here, other] = [await logIn(account.password), await logIn(account.password)];
    const [status, { sessions }] = told(await call("listSessions", { cookies: here.cookies }));
    expect([status, sessions.length]).toEqual([200, 2]);
    expect(sessions.filter(({ current }: { current: boolean }) => current)).toHaveLength(1);
    const { sessionId } = other.key;
    const end = { cookies: here.cookies, pathParameters: { sessionId }, path: `/auth/sessions/${sessionId}` };
    expect((await call("revokeSession", end)).statusCode).toBe(204);

    const body = { currentPassword: account.password, newPassword: changed };
    expect((await call("changePassword", { cookies: here.cookies, body })).statusCode).toBe(200);
    expect((await call("login", { body: account })).statusCode).toBe(401);
    const later = await logIn(changed);
    expect((await call("revokeAllSessions", { cookies: later.cookies })).statusCode).toBe(204);

    const last = await logIn(changed);
    expect(told(await call("exportAccount", { cookies: last.cookies }))).toEqual([
      200,
      expect.objectContaining({ email: account.email }),
    ]);
    const deletion = { cookies: last.cookies, body: { password: changed } };
    expect((await call("deleteAccount", deletion)).statusCode).toBe(204);
    expect(await database.scan("users")).toEqual([]);
    expect(await database.scan("sessions")).toEqual([]);
  });

  test("the authorizer answers the gateway", async () => {
    const headers = { authorization: "Bearer nothing" };
    const event = { version: "2.0", type: "REQUEST", headers, requestContext: {} };
    expect(await lambdas.authorizer?.invoke(event)).toEqual({ isAuthorized: false });
  });

  test("each function answers without credentials, and never with 5xx", async () => {
    // What is there only with a switch is not.
    const packaged = routeNames.filter((name) => functionNames.includes(name));
    for (const route of packaged) {
      const { statusCode, headers } = await call(route, { path: "/nowhere" });
      expect(statusCode).toBeLessThan(500);
      expect(headers["x-content-type-options"]).toBe("nosniff");
    }
    expect(["authorizer", ...packaged].sort()).toEqual(functionNames.toSorted());
  });

  test("each request is one line of JSON in CloudWatch, with nothing before it", () => {
    const written = lambdas.login?.output() ?? "";
    const lines = [...written.matchAll(/.+/g)].map(([line]) => JSON.parse(line));
    expect(lines.length).toBeGreaterThanOrEqual(5);
    for (const line of lines) expect(line).toMatchObject({ route: "POST /auth/login", stage: "prod" });
  });

  test("a function without its settings does not start, and says all that is missing", async () => {
    const broken = await start("movies", ["ISSUER", "JWT_PUBLIC_KEYS"]);
    const { payload, code } = await broken.failure().finally(broken.stop);
    expect(payload).toMatchObject({
      errorMessage: expect.stringContaining("- ISSUER is missing\n- JWT_PUBLIC_KEYS is missing"),
    });
    expect(code).not.toBe(0);
  });
});
