import { describe, expect, test } from "@jest/globals";
import { json } from "../../lib/http/response.ts";
import { bodyOf, expectJson, expectProblem, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { createEvent } from "../support/event.ts";
import { createKey, keySettings } from "../support/keys.ts";
import { log } from "../support/log.ts";
import { pairOf } from "../support/pair.ts";
import { createContext } from "../support/sandbox.ts";
import { startService } from "../support/service.ts";

const service = await startService();
const { sandbox, database, expectRequests } = service;

// A route of a user's own, wired from lib/ as docs/protect.md shows it. Settings are read when it is made.
Object.assign(process.env, service.environment);
const { api } = await import("../../lib/http/api.ts");
const { authenticate } = await import("../../lib/http/authenticate.ts");
const { requireRole } = await import("../../lib/http/require-role.ts");
let ran = 0;
const report = api()
  .use(await authenticate())
  .use(requireRole("admin"))
  .handler(({ auth }) => {
    ran++;
    return json(200, { roles: auth.roles });
  });

const call = (cookies: string[]) => report(createEvent("movies", { cookies }), createContext());

/** Logs in an account of these roles. */
async function logIn(roles: unknown) {
  const account = await service.addAccount();
  await database.change("users", { userId: account.userId }, { roles });
  return { account, pair: await service.logIn({ account }) };
}

describe("requireRole", () => {
  test("lets pass whose roles name it, without a request", async () => {
    const { pair } = await logIn(["auditor", "admin"]);
    const response = await expectRequests([], () => call(pair.cookies));
    expectJson(response, 200, { roles: ["auditor", "admin"] });
  });

  test.each([
    ["no roles", undefined],
    ["other ones", ["auditor", "Admin", "administrator", " admin", "admin,auditor"]],
  ])("is a 403 for %s, and the handler does not run", async (_, roles) => {
    const { pair } = await logIn(roles);
    const before = ran;
    expectProblem(await call(pair.cookies), {
      status: 403,
      code: "forbidden",
      detail: "This needs the role admin.",
    });
    expect(ran).toBe(before);
  });

  test.each([
    ["acme", 200],
    ["globex", 403],
    [undefined, 403],
  ])("of the organisation in the path: %s is a %s", async (org, status) => {
    const { pair } = await logIn(["acme:admin"]);
    const ofOrg = api()
      .use(await authenticate())
      .use(requireRole("admin", { of: ({ pathParameters }) => pathParameters.org }))
      .handler(() => json(200, {}));
    const event = { ...createEvent("movies", { cookies: pair.cookies }), pathParameters: { org } };
    expect((await ofOrg(event, createContext())).statusCode).toBe(status);
  });

  test("comes after the credentials: without them it is a 401", async () => {
    expectProblem(await call([]), refusals.noCredentials);
  });
});

describe("claims of one's own", () => {
  /** Roles that make claims of this many bytes. */
  const rolesOf = (bytes: number) => ["r".repeat(bytes - JSON.stringify({ roles: [""] }).length)];

  test("are stored with the session and carried by every refresh without another read", async () => {
    const { account, pair } = await logIn(["admin"]);
    expect((await service.findSession(pair))?.claims).toEqual({ roles: ["admin"] });
    await database.change("users", { userId: account.userId }, { roles: ["auditor"] });
    clock.advance(1_000);
    const next = await expectRequests(["UpdateItem sessions"], () => service.rotate(pair));
    expect(next.claims.roles).toEqual(["admin"]);
    expectJson(await call(next.cookies), 200, { roles: ["admin"] });
    // Another login decides anew.
    const later = await service.logIn({ account });
    expect(later.claims.roles).toEqual(["auditor"]);
  });

  test("C19 of 384 bytes fit a cookie of 2,048 with the longest e-mail and an RSA key", async () => {
    const email = `${"l".repeat(64)}@${"d".repeat(63)}.${"d".repeat(63)}.${"d".repeat(61)}`;
    const password = "a long and private sentence";
    const { userId } = bodyOf(await sandbox.register({ body: { email, password } }));
    const roles = rolesOf(384);
    await database.change("users", { userId }, { roles });
    const settings = { COOKIE_NAME: "__Host-auth-cookie", ...keySettings(createKey("RS256")) };
    const response = await service.createSandbox(settings).login({ body: { email, password } });
    expect(pairOf(response).claims.roles).toEqual(roles);
    expect(response.cookies?.[0]?.length).toBeLessThanOrEqual(2_048);
  });

  test("of 385 bytes are a 500 that the log explains, and no session is written", async () => {
    const { email, password, userId } = await service.addAccount();
    await database.change("users", { userId }, { roles: rolesOf(385) });
    expectProblem(await sandbox.login({ body: { email, password } }), refusals.internalError);
    expect(await database.sessionsOf(userId)).toEqual([]);
    expect(JSON.stringify(log.entries())).toContain(
      "the custom claims have 385 bytes, and 384 fit the cookie",
    );
  });

  // What claims must look like is a table of lib/accounts/claims.test.ts and lib/sessions/session.test.ts.
  test("an account whose roles are no list is a defect of ours: 500, no session", async () => {
    const { email, password, userId } = await service.addAccount();
    await database.change("users", { userId }, { roles: "admin" });
    expectProblem(await sandbox.login({ body: { email, password } }), refusals.internalError);
    expect(await database.sessionsOf(userId)).toEqual([]);
  });

  test("never replace claims of ours", async () => {
    const { pair } = await logIn(["admin"]);
    await database.change("sessions", pair.key, {
      claims: { roles: ["admin"], sub: "somebody else", sid: "x", exp: 9_999_999_999, iss: "x", email: "x" },
    });
    const { claims } = await service.rotate(pair);
    expect(claims).toMatchObject({
      sub: pair.claims.sub,
      sid: pair.claims.sid,
      email: pair.claims.email,
      iss: pair.claims.iss,
      exp: clock.now + 900,
    });
  });
});
