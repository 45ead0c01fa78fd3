import { describe, expect, test } from "@jest/globals";
import type { ApiResponse } from "../lib/http/response.ts";
import { bodyOf, expectJson, expectNoContent, expectProblem, refusals } from "./support/answer.ts";
import { clock } from "./support/clock.ts";
import { fail, loseAnswer, loseRequest } from "./support/faults.ts";
import { interleave, rememberAccount } from "./support/interleave.ts";
import { type Pair, pairOf } from "./support/pair.ts";
import type { Sandbox } from "./support/sandbox.ts";
import { type Account, lookUp, type Service, startServices } from "./support/service.ts";

const services = await startServices();
const [service, embedded] = services;
const { sandbox, database, wire, expectRequests, expectRefusal } = service;
const live = "GetItem sessions";
const query = "Query sessions";
const batch = "BatchWriteItem sessions";
/** What ends all sessions but the caller's. */
const end = ["UpdateItem users", query, batch, "UpdateItem users"];
const deletion = [live, lookUp, ...end, "DeleteItem users", query, batch];

async function open(as: Service = service): Promise<{ account: Account; other: Pair; own: Pair }> {
  const account = await as.register();
  return { account, other: await as.logIn({ account }), own: await as.logIn({ account }) };
}

function remove({ cookies }: Pair, password: unknown, as: Sandbox = sandbox): Promise<ApiResponse> {
  return as.deleteAccount({ cookies, body: { password } });
}

describe("GET /auth/account", () => {
  test("answers all that is stored about the caller, and nothing that lets somebody in, with 2 requests", async () => {
    const { account, other, own } = await open();
    const { email, userId } = account;
    clock.advance(60);
    await service.rotate(other);
    await database.change("users", { email }, { roles: ["admin"] });
    await database.change("sessions", own.key, { expiresAt: clock.now });
    const response = await expectRequests(["GetItem users", query], () =>
      sandbox.exportAccount({ cookies: own.cookies }),
    );
    const { sessions, ...user } = bodyOf(response);
    expect(user).toEqual({ userId, email, createdAt: expect.any(Number), roles: ["admin"] });
    const stored = { createdAt: clock.now - 60, userAgent: "tests", ip: "192.0.2.7" };
    expect(sessions).toHaveLength(2);
    expect(sessions).toEqual(
      expect.arrayContaining([
        {
          ...stored,
          sessionId: other.key.sessionId,
          renewedAt: clock.now,
          expiresAt: clock.now + 86_400,
        },
        // Over, and not deleted yet: it is stored.
        { ...stored, sessionId: own.key.sessionId, renewedAt: null, expiresAt: clock.now },
      ]),
    );
    expectJson(response, 200, expect.anything());
    expect(response.body).not.toMatch(/hash|salt|argon2|"token/i);
  });

  test.each([
    ["the users", "GetItem users"],
    ["the sessions", query],
  ])("is a 503 when %s cannot be read", async (_, name) => {
    const { cookies } = await service.logIn();
    wire.break(name, fail, { times: 3 });
    expectProblem(await sandbox.exportAccount({ cookies }), refusals.unavailable);
  });
});

describe.each(services)("DELETE /auth/account on $engine", (service) => {
  const { sandbox, database, wire, expectRequests } = service;

  /** Asserts that nothing is left, and the address free. */
  async function expectGone({ email, password, userId }: Account, pairs: Pair[]) {
    expect(await database.find("users", { email })).toBeUndefined();
    expect(await database.sessionsOf(userId)).toEqual([]);
    for (const pair of pairs) expectProblem(await service.refresh(pair), refusals.tokenExpired);
    expectProblem(await sandbox.login({ body: { email, password } }), refusals.loginFailed);
    expect((await sandbox.register({ body: { email, password } })).statusCode).toBe(201);
  }

  test("R26 deletes the user and every session, and frees the address", async () => {
    const { account, other, own } = await open(service);
    const stranger = await service.logIn();
    const response = await expectRequests(deletion, () => remove(own, account.password, sandbox));
    expectNoContent(response);
    await expectGone(account, [other, own]);
    await service.rotate(stranger);
  });

  test.each([
    ["the first write", "UpdateItem users"],
    ["the sweep", "BatchWriteItem"],
    ["the deletion", "DeleteItem users"],
  ])("knows its own writes when the answer to %s was lost", async (_, name) => {
    const { account, other, own } = await open(service);
    wire.break(name, loseAnswer);
    expectNoContent(await remove(own, account.password, sandbox));
    await expectGone(account, [other, own]);
  });

  test("that broke off after any request, its process killed, is finished by the same request", async () => {
    // The first three only read and count.
    for (let done = 3; done < deletion.flat().length; done++) {
      const { account, other, own } = await open(service);
      wire.break("", (request) => request.deliver(), { times: done });
      wire.break("", loseRequest, { times: 99 });
      expectProblem(await remove(own, account.password, sandbox), refusals.unavailable);
      wire.mend();
      const isGone = (await database.find("users", { email: account.email })) === undefined;
      expect([done, isGone]).toEqual([done, done > 7]);
      expectNoContent(await remove(own, account.password, sandbox));
      await expectGone(account, [other, own]);
    }
  });

  test("that broke off is taken up by a login, too, while there is a user", async () => {
    const { account, other, own } = await open(service);
    wire.break("DeleteItem users", loseRequest, { times: 3 });
    expectProblem(await remove(own, account.password, sandbox), refusals.unavailable);
    expectProblem(await service.refresh(other), refusals.tokenExpired);
    const later = await service.logIn({ account });
    expectNoContent(await remove(later, account.password, sandbox));
    await expectGone(account, [other, own, later]);
  });

  test("beside a change of the password leaves an account or none, and no half", async () => {
    const { account, other, own } = await open(service);
    const newPassword = `${account.password} and more`;
    const change = { currentPassword: account.password, newPassword };
    const [deleted, changed] = await Promise.all([
      remove(own, account.password, sandbox),
      sandbox.changePassword({ cookies: other.cookies, body: change }),
    ]);
    const user = await database.find("users", { email: account.email });
    if (deleted.statusCode === 204) return expect(user).toBeUndefined();
    expect([401, 503]).toContain(deleted.statusCode);
    expect(user).toBeDefined();
    const password = changed.statusCode === 200 ? newPassword : account.password;
    await service.rotate(await service.logIn({ account: { ...account, password } }));
  });
});

describe("DELETE /auth/account is refused", () => {
  test("with a wrong password, which is counted; with none; and when the session has been ended", async () => {
    const { account, own, other } = await open();
    await expectRefusal(() => remove(own, "not the right password"), refusals.wrongPassword, [live, lookUp]);
    const missing = { status: 400, code: "invalid_body", detail: "password is missing" };
    const errors = [{ pointer: "#/password", detail: "is missing" }];
    await expectRefusal(() => remove(own, undefined), { ...missing, errors }, [live]);
    await expectRefusal(() => sandbox.deleteAccount({ cookies: own.cookies }), refusals.noObject, [live]);
    await sandbox.logout({ cookies: other.cookies });
    await expectRefusal(() => remove(other, account.password), refusals.invalidToken, [live]);
    for (let i = 2; i <= 5; i++) expectProblem(await remove(own, "wrong"), refusals.wrongPassword);
    expect((await remove(own, account.password)).statusCode).toBe(429);
    clock.advance(30);
    expectNoContent(await remove(own, account.password));
  });

  test("while DynamoDB is away: 503, nothing is deleted", async () => {
    const { account, own, other } = await open();
    wire.break("", loseRequest, { times: 99 });
    expectProblem(await remove(own, account.password), refusals.unavailable);
    wire.mend();
    for (const pair of [own, other]) await service.rotate(pair);
  });
});

test("a JWT of a deleted user never shows or changes what the address's new owner has", async () => {
  const { account, own } = await open();
  const { email, password } = account;
  const stolen = await database.find("sessions", own.key);
  expectNoContent(await remove(own, password));
  const { userId } = bodyOf(await sandbox.register({ body: { email, password } }));
  const owner = pairOf(await sandbox.login({ body: { email, password } }));
  const look = async () => [await database.find("users", { email }), await database.sessionsOf(userId)];
  const before = await look();
  const { cookies } = own;
  const next = { currentPassword: password, newPassword: `${password} and more` };

  /** Calls every route with the old JWT; returns the texts of the answers. */
  async function callAll(isLive: boolean): Promise<string> {
    const answers = [
      await sandbox.listSessions({ cookies }),
      await sandbox.exportAccount({ cookies }),
      await sandbox.me({ cookies }),
      await sandbox.changePassword({ cookies, body: next }),
      await sandbox.revokeSession({ cookies, pathParameters: { sessionId: owner.key.sessionId } }),
      await sandbox.revokeAllSessions({ cookies, query: { except: "current" } }),
      await sandbox.deleteAccount({ cookies, body: { password } }),
      await sandbox.revokeAllSessions({ cookies }),
      await sandbox.refresh({ cookies }),
    ];
    const [list, account] = answers as [ApiResponse, ApiResponse];
    expect(bodyOf(list).sessions).toHaveLength(isLive ? 1 : 0);
    expectProblem(account, refusals.invalidToken);
    return answers.map(({ body }) => body).join("\n");
  }

  const texts = [await callAll(false)];
  // Even if a session of the deleted user had been left behind.
  await database.put("sessions", stolen ?? {});
  texts.push(await callAll(true));
  expect(texts.join()).not.toContain(userId);
  expect(texts.join()).not.toContain(owner.key.sessionId);
  expect(await look()).toEqual(before);
  await service.rotate(owner);
});

test("a login that races the deletion ends up without a session, in every order", async () => {
  const { wire, database, environment } = embedded;
  const at = (path: string) =>
    embedded.createSandbox({ DYNAMODB_ENDPOINT: `${environment.DYNAMODB_ENDPOINT}${path}` });
  const [logging, deleting] = [at("/login"), at("/delete")];
  const { account, own } = await open(embedded);
  const { email, password } = account;
  const restore = await rememberAccount(database, account);
  let answers: { login?: ApiResponse; deletion?: ApiResponse };
  const runs = await interleave(
    wire,
    async () => {
      await restore();
      answers = {};
      return [
        {
          path: "/login",
          act: async () => {
            answers.login = await logging.login({ body: { email, password } });
          },
        },
        {
          path: "/delete",
          act: async () => {
            answers.deletion = await remove(own, password, deleting);
          },
        },
      ];
    },
    async (order) => {
      expect([order, answers.deletion?.statusCode]).toEqual([order, 204]);
      expect([order, [200, 401]]).toEqual([order, expect.arrayContaining([answers.login?.statusCode])]);
      expect([order, await database.sessionsOf(account.userId)]).toEqual([order, []]);
      expect([order, await database.find("users", { email })]).toEqual([order, undefined]);
    },
  );
  expect(runs).toBeGreaterThan(10);
});
