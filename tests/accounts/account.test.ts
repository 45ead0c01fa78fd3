import { describe, expect, test } from "@jest/globals";
import type { ApiResponse } from "../../lib/http/response.ts";
import {
  bodyOf,
  expectJson,
  expectNoContent,
  expectProblem,
  invalidBody,
  type Refusal,
  refusals,
  tooManyAttempts,
} from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import type { Item } from "../support/database.ts";
import { hold, loseAnswer, loseRequest, precededBy } from "../support/faults.ts";
import { raceLogin } from "../support/interleave.ts";
import { keepSecrets } from "../support/log.ts";
import { type Pair, pairOf } from "../support/pair.ts";
import type { Sandbox } from "../support/sandbox.ts";
import { type Account, lookUp, proof, type Step, startService } from "../support/service.ts";
import { storeSessions } from "../support/stored.ts";

const service = await startService();
const { sandbox, database, wire, expectRequests, expectRefusal } = service;
const live = "GetItem sessions";
const query = "Query sessions";
const batch = "BatchWriteItem sessions";
const begin = "TransactWriteItems users sessions";
/** What ends all sessions but the caller's. */
const end = [begin, query, batch, "UpdateItem users"];
const transaction = "TransactWriteItems users identities";
const deletion: Step[] = [live, ...proof, ...end, transaction, query, batch];

/** An account with two sessions: another one, and the one that the test acts from. */
async function open() {
  const { account, pairs } = await service.open(2);
  return { account, other: pairs[0], own: pairs[1] };
}

function remove({ cookies }: Pair, password: unknown, as: Sandbox = sandbox): Promise<ApiResponse> {
  return as.deleteAccount({ cookies, body: { password } });
}

describe("GET /auth/account", () => {
  test("answers all that is stored about the caller, and nothing that lets somebody in, with 4 requests; 3 without mail", async () => {
    const { account, pairs } = await service.open(3);
    const [old, other, own] = pairs;
    const { email, userId } = account;
    clock.advance(60);
    await service.rotate(other);
    const moved = { previousEmail: "before@example.com", undoUntil: clock.now + 60 };
    await database.change("users", { userId }, { roles: ["admin"], ...moved });
    await database.change("sessions", old.key, { expiresAt: clock.now });
    await service.feed("events");
    const read = (as = sandbox) => as.exportAccount({ cookies: own.cookies });
    const response = await expectRequests([live, "GetItem users", [query, "Query audit"]], read);
    const { sessions, ...user } = bodyOf(response);
    const created = { event: "user_created", by: "user", at: expect.any(Number), ip: "192.0.2.7" };
    const change = { ...created, device: "unknown browser", requestId: expect.any(String) };
    expect(user).toEqual({
      ...{ userId, email, createdAt: expect.any(Number), roles: ["admin"], sessionsLeftOut: 0 },
      ...{
        language: "en",
        passwordChangedAt: null,
        emailVerifiedAt: null,
        totp: null,
        recoveryCodesLeft: 0,
        passkeys: [],
        hasPassword: true,
        identities: [],
      },
      ...{ previousEmail: "before@example.com", undoUntil: clock.now + 60 },
      lastChange: { id: expect.any(String), ...change },
      ...{ changes: [change], moreChanges: false },
    });
    const withoutMail = service.createSandbox({ AUDIT_TABLE: "" });
    const { changes, moreChanges, ...same } = user;
    expect(bodyOf(await expectRequests([live, "GetItem users", query], () => read(withoutMail)))).toEqual({
      ...same,
      sessions,
    });
    const summary = ({ claims }: Pair, renewedAt: number | null, expiresAt: number) => {
      const device = { userAgent: "tests", ip: "192.0.2.7", isDeviceBound: false };
      return { sessionId: claims.sid, createdAt: claims.auth_time, renewedAt, expiresAt, ...device };
    };
    expect(sessions).toHaveLength(3);
    expect(sessions).toContainEqual(summary(other, clock.now, clock.now + 86_400));
    // Over, and not deleted yet: it is stored.
    expect(sessions).toContainEqual(summary(old, null, clock.now));
    expect(sessions).toContainEqual(summary(own, null, own.claims.auth_time + 86_400));
    expectJson(response, 200, expect.anything());
    expect(response.body).not.toMatch(/hash|salt|argon2|"token/i);
  });

  test("names 1,000 sessions at most, and counts the others, however many pages they are", async () => {
    const { account, own } = await open();
    await storeSessions(database, account.userId, 1_100);
    wire.break(query, (request) => request.deliver({ ...request.parameters, Limit: 400 }), { times: 9 });
    const body = bodyOf(await sandbox.exportAccount({ cookies: own.cookies }));
    expect([body.sessions.length, body.sessionsLeftOut]).toEqual([1_000, 102]);
    expect(new Set(body.sessions.map(({ sessionId }: Item) => sessionId)).size).toBe(1_000);
  });

  test("names the newest thousand changes, and of an operator not who it was", async () => {
    const { account, own } = await open();
    const { userId } = account;
    const rows = Array.from({ length: 1_001 }, (_, index) => ({
      ...{ userId, at: index, change: `${index + 1_000_000_000}#id`, event: "user_updated" },
      ...{ by: "operator arn:aws:iam::123456789012:user/ada", requestId: "request", expiresAt: clock.now },
    }));
    await database.putAll("audit", rows);
    const { changes, moreChanges } = bodyOf(await sandbox.exportAccount({ cookies: own.cookies }));
    expect([changes.length, changes[0].at, changes.at(-1).at, moreChanges]).toEqual([1_000, 1_000, 1, true]);
    expect(new Set(changes.map(({ by }: Item) => by))).toEqual(new Set(["operator"]));
  });
});

describe("DELETE /auth/account", () => {
  /** Asserts that nothing is left, and the address free. */
  async function expectGone({ email, password, userId }: Account, pairs: Pair[]) {
    expect(await database.find("users", { userId })).toBeUndefined();
    expect(await database.find("identities", { identity: `email:${email}` })).toBeUndefined();
    expect(await database.sessionsOf(userId)).toEqual([]);
    for (const pair of pairs) expectProblem(await service.refresh(pair), refusals.tokenExpired);
    expectProblem(await sandbox.login({ body: { email, password } }), refusals.loginFailed);
    expect((await sandbox.register({ body: { email, password } })).statusCode).toBe(201);
  }

  test("R26 deletes the user and every session, and frees the address", async () => {
    const { account, other, own } = await open();
    const stranger = await service.logIn();
    expectNoContent(await expectRequests(deletion, () => remove(own, account.password)));
    await expectGone(account, [other, own]);
    await service.rotate(stranger);
  });

  test.each([
    ["the first write", begin],
    ["the sweep", "BatchWriteItem"],
    ["the deletion", transaction],
  ])("knows its own writes when the answer to %s was lost", async (_, name) => {
    const { account, other, own } = await open();
    wire.break(name, loseAnswer);
    expectNoContent(await remove(own, account.password));
    await expectGone(account, [other, own]);
  });

  // The first three only read and count.
  test.each(deletion.flat().map((name, done) => [done, name] as const))(
    "that broke off after %i requests, its process killed before %s, is finished by the same request",
    async (done) => {
      const { account, other, own } = await open();
      wire.break("", (request) => request.deliver(), { times: done });
      wire.break("", loseRequest, { times: 99 });
      expectProblem(await remove(own, account.password), refusals.unavailable);
      wire.mend();
      const user = await database.find("users", { userId: account.userId });
      expect(user === undefined).toBe(done > 7);
      expect(user?.deletingAt).toBe(user && done > 3 ? clock.now : undefined);
      expectNoContent(await remove(own, account.password));
      await expectGone(account, [other, own]);
    },
  );

  test("that broke off lets nobody in, and nothing be changed, until the same session goes on with it", async () => {
    const { account, other, own } = await open();
    const { email, password, userId } = account;
    wire.break(transaction, loseRequest, { times: 3 });
    expectProblem(await remove(own, password), refusals.unavailable);
    const begun = await database.find("users", { userId });
    expect(begun).toMatchObject({
      ...{ sessionEpoch: 1, sweptEpoch: 1, deletingAt: clock.now },
      lastChange: { event: "user_deleting", by: "user", at: clock.now, ip: "192.0.2.7" },
    });
    expectProblem(await service.refresh(other), refusals.tokenExpired);
    const { cookies } = await service.rotate(own);
    const wrong = { email, password: "not the right password" };
    for (const body of [{ email, password }, wrong])
      expectProblem(await expectRequests(lookUp, () => sandbox.login({ body })), refusals.loginFailed);
    expect((await sandbox.register({ body: { email, password } })).statusCode).toBe(409);
    const next = { currentPassword: password, newPassword: `${password} and more` };
    for (const refused of [
      await sandbox.changePassword({ cookies, body: next }),
      await sandbox.exportAccount({ cookies }),
      await sandbox.revokeAllSessions({ cookies, query: { except: "current" } }),
    ])
      expectProblem(refused, refusals.invalidToken);
    expect(await database.find("users", { userId })).toEqual(begun);
    expectNoContent(await remove(own, password));
    await expectGone(account, [other, own]);
  });

  test("that broke off goes on in the same browser, whoever is guessing at the account meanwhile", async () => {
    const { account } = await open();
    const { email, password } = account;
    const { cookies = [] } = await sandbox.login({ body: { email, password } });
    const own = cookies.map((line) => line.split(";", 1)[0] ?? "");
    for (let i = 0; i < 6; i++) await sandbox.login({ body: { email, password: "a stranger's guess" } });
    wire.break("Query sessions", loseRequest, { times: 3 });
    const remove = () => sandbox.deleteAccount({ cookies: own, body: { password } });
    expectProblem(await remove(), refusals.unavailable);
    expectNoContent(await remove());
  });

  test("that broke off is finished by nobody in the last minute of the fifteen: it could arrive after them", async () => {
    const { account, own } = await open();
    const { userId, password } = account;
    wire.break("Query sessions", loseRequest, { times: 3 });
    const remove = () => sandbox.deleteAccount({ cookies: own.cookies, body: { password } });
    expectProblem(await remove(), refusals.unavailable);
    clock.advance(840);
    expectProblem(await remove(), refusals.unavailable);
    expect(await database.find("users", { userId })).toBeDefined();
  });

  test("that broke off, and that nobody can go on with, is after 15 minutes as if it had never been asked for", async () => {
    const { account, other, own } = await open();
    const { email, password } = account;
    wire.break(transaction, loseRequest, { times: 3 });
    expectProblem(await remove(own, password), refusals.unavailable);
    await sandbox.logout({ cookies: own.cookies });
    clock.advance(899);
    expectProblem(await sandbox.login({ body: { email, password } }), refusals.loginFailed);
    clock.advance(1);
    const next = await service.logIn({ account });
    expect((await sandbox.exportAccount({ cookies: next.cookies })).statusCode).toBe(200);
    const changed = { ...account, password: `${password} and more` };
    const body = { currentPassword: password, newPassword: changed.password };
    const last = pairOf(await sandbox.changePassword({ cookies: next.cookies, body }));
    expectNoContent(await remove(last, changed.password));
    await expectGone(changed, [other, own, next, last]);
  });

  test("begins nothing where its own session is ended meanwhile", async () => {
    const { account, other, own } = await open();
    wire.break(
      begin,
      precededBy(() => database.delete("sessions", own.key)),
    );
    expectProblem(await remove(own, account.password), refusals.unavailable);
    await service.rotate(other);
  });

  test("goes on where the same session has just begun it, and not with one that was to end", async () => {
    const { account, other, own } = await open();
    const held = hold("answer");
    wire.break(begin, held.fault);
    const first = remove(own, account.password);
    await held.arrived;
    expectProblem(await remove(other, account.password), refusals.invalidToken);
    // It had read its session before.
    wire.break(live, async (request) => ({
      status: 200,
      body:
        (await request.deliver())?.body.replace('"sessionEpoch":{"N":"1"}', '"sessionEpoch":{"N":"0"}') ?? "",
    }));
    expectNoContent(await remove(own, account.password));
    await held.release();
    expectNoContent(await first);
    await expectGone(account, [other, own]);
  });

  test("of two clicks at once each does all of it, whoever begins", async () => {
    const { account, other, own } = await open();
    const held = hold("request");
    let first: Promise<ApiResponse> | undefined;
    wire.break(
      begin,
      precededBy(async () => {
        wire.break(query, held.fault);
        first = remove(own, account.password);
        await held.arrived;
      }),
    );
    expectNoContent(await remove(own, account.password));
    await held.release();
    if (first) expectNoContent(await first);
    await expectGone(account, [other, own]);
  });

  test("of two sessions at once one does it, and the other is over", async () => {
    const { account, other, own } = await open();
    const held = hold("request");
    let first: Promise<ApiResponse> | undefined;
    wire.break(
      begin,
      precededBy(async () => {
        wire.break(query, held.fault);
        first = remove(other, account.password);
        await held.arrived;
      }),
    );
    expectProblem(await remove(own, account.password), refusals.invalidToken);
    await held.release();
    if (first) expectNoContent(await first);
    await expectGone(account, [other, own]);
  });

  test("touches no address that is reserved", async () => {
    const { account, own } = await open();
    const { userId, password } = account;
    const entry = {
      identity: `email:old.${account.email}`,
      userId,
      createdAt: 1,
      reservedUntil: clock.now + 9,
    };
    await database.put("identities", entry);
    const { email } = account;
    await database.change("users", { userId }, { previousEmail: `old.${email}`, undoUntil: clock.now });
    expectNoContent(await remove(own, password));
    expect(await database.find("identities", { identity: entry.identity })).toEqual(entry);
  });

  const change = ({ cookies }: Pair, { password }: Account) => {
    const newPassword = `${password} and more`;
    keepSecrets(newPassword);
    return sandbox.changePassword({ cookies, body: { currentPassword: password, newPassword } });
  };
  test.each<[string, boolean, string, number, Refusal?]>([
    [
      "the change waits at its write: no account is left",
      true,
      "UpdateItem users",
      204,
      refusals.unavailable,
    ],
    ["the deletion waits at its first write: the account lives", false, begin, 200, refusals.invalidToken],
    ["the deletion waits at its last: no account is left", false, transaction, 401],
  ])("beside a change of the password leaves no half, where %s", async (...row) => {
    const [, isChangeHeld, name, status, refusal] = row;
    const { account, other, own } = await open();
    const held = hold("request");
    wire.break(name, held.fault);
    const waiting = isChangeHeld ? change(other, account) : remove(own, account.password);
    await held.arrived;
    const { statusCode } = await (isChangeHeld ? remove(own, account.password) : change(own, account));
    expect(statusCode).toBe(status);
    await held.release();
    if (refusal) expectProblem(await waiting, refusal);
    else expectNoContent(await waiting);
    if (status !== 200) return expectGone(account, [other, own]);
    const password = `${account.password} and more`;
    await service.rotate(await service.logIn({ account: { ...account, password } }));
  });
});

describe("DELETE /auth/account is refused", () => {
  test("while the e-mail address was changed less than seven days ago, before any password is looked at", async () => {
    const { account, own } = await open();
    const { password, userId } = account;
    await database.change("users", { userId }, { undoUntil: clock.now + 604_800 });
    const recently = {
      ...{ status: 409, code: "email_changed_recently" },
      detail:
        "The e-mail address was changed less than seven days ago. Try again when that can no longer be undone.",
    };
    await expectRefusal(() => remove(own, password), recently, [live, "GetItem users"]);
    await database.change("users", { userId }, { undoUntil: clock.now });
    expectNoContent(await remove(own, password));
  });

  test("where an operator has disabled the account, begun or not", async () => {
    const { account, own } = await open();
    const { password, userId } = account;
    for (const deletingAt of [undefined, clock.now]) {
      await database.change("users", { userId }, { disabledAt: clock.now, deletingAt });
      await expectRefusal(() => remove(own, password), refusals.invalidToken, [live, "GetItem users"]);
    }
  });

  test("with a wrong password, which is counted; with none; and when the session has been ended", async () => {
    const { account, own, other } = await open();
    await expectRefusal(() => remove(own, "not the right password"), refusals.wrongPassword, [
      live,
      ...proof,
    ]);
    const missing = invalidBody(["password", "is missing"]);
    for (const body of [{}, undefined]) {
      const call = () => sandbox.deleteAccount({ cookies: own.cookies, ...(body && { body }) });
      await expectRefusal(call, missing, [live, "GetItem users"]);
    }
    await sandbox.logout({ cookies: other.cookies });
    await expectRefusal(() => remove(other, account.password), refusals.invalidToken, [live]);
    for (let i = 2; i <= 5; i++) expectProblem(await remove(own, "wrong"), refusals.wrongPassword);
    expectProblem(await remove(own, account.password), tooManyAttempts(30));
    clock.advance(30);
    expectNoContent(await remove(own, account.password));
  });
});

test("a JWT of a deleted user never shows or changes what the address's new owner has", async () => {
  const { account, own } = await open();
  const { email, password } = account;
  const stolen = await database.find("sessions", own.key);
  expectNoContent(await remove(own, password));
  const { userId } = bodyOf(await sandbox.register({ body: { email, password } }));
  const owner = pairOf(await sandbox.login({ body: { email, password } }));
  const look = async () => [await database.find("users", { userId }), await database.sessionsOf(userId)];
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
    if (isLive) expect(bodyOf(list).sessions).toHaveLength(1);
    else expectProblem(list, refusals.invalidToken);
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

test("a login that races the deletion ends up without a session, or the account lives, in every order", async () => {
  const { account, own } = await open();
  const { password, userId } = account;
  await raceLogin(service, {
    account,
    act: (as) => remove(own, password, as),
    check: async ({ login, other }) => {
      expect([200, 401]).toContain(login.statusCode);
      expectNoContent(other);
      expect(await database.sessionsOf(userId)).toEqual([]);
      expect(await database.find("users", { userId })).toBeUndefined();
    },
  });
});
