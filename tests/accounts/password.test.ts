import { randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import {
  expectJson,
  expectNoContent,
  expectProblem,
  invalidBody,
  refusals,
  tooManyAttempts,
} from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { fail, hold, loseAnswer, loseRequest, precededBy, throttle } from "../support/faults.ts";
import { raceLogin } from "../support/interleave.ts";
import { keepSecrets } from "../support/log.ts";
import { type Pair, pairOf } from "../support/pair.ts";
import type { Sandbox } from "../support/sandbox.ts";
import { type Account, lookUp, startService } from "../support/service.ts";

const service = await startService();
const { sandbox, database, wire, expectRequests, expectRefusal } = service;
const live = "GetItem sessions";
const write = "UpdateItem users";
const sweep = ["Query sessions", "BatchWriteItem sessions", "UpdateItem users"];

/** An account with two sessions: another one, and the one that the test acts from. */
async function open() {
  const { account, pairs } = await service.open(2);
  return { account, other: pairs[0], own: pairs[1] };
}

/** A password that nobody has. */
function newPassword(): string {
  const text = `brand new ${randomUUID()}`;
  keepSecrets(text);
  return text;
}

function change(own: Pair, currentPassword: unknown, next: unknown, as: Sandbox = sandbox) {
  return as.changePassword({ cookies: own.cookies, body: { currentPassword, newPassword: next } });
}

describe("POST /auth/password", () => {
  const findUser = ({ email }: Account) => database.find("users", { email });
  const logIn = ({ email }: Account, password: string) => sandbox.login({ body: { email, password } });

  /** Asserts that the change holds: this password and no other, this session and no other. */
  async function expectChanged(account: Account, password: string, own: Pair, others: Pair[]) {
    await service.expectOver(others);
    expectProblem(await logIn(account, account.password), refusals.loginFailed);
    const next = pairOf(await logIn(account, password));
    await service.rotate(own);
    await service.rotate(next);
    const user = await findUser(account);
    expect(user?.sweptEpoch).toBe(user?.sessionEpoch);
  }

  test.each([
    ["A30 R24 changes it with one conditional write, ends all other sessions and keeps this one", 0],
    ["S15 knows its own write when the answer was lost and the SDK tried again", 1],
  ])("%s", async (_, lost) => {
    const { account, other, own } = await open();
    const before = await findUser(account);
    const next = newPassword();
    wire.break(write, loseAnswer, { times: lost });
    const writes = Array(1 + lost).fill(write);
    const response = await expectRequests([live, lookUp, ...writes, ...sweep], () =>
      change(own, account.password, next),
    );
    expectJson(response, 200, { msg: "success" });
    expect(response.cookies).toBeUndefined();
    expect(await findUser(account)).toEqual({
      ...before,
      passwordHash: expect.stringMatching(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/),
      sessionEpoch: 1,
      sweptEpoch: 1,
      keptSessionId: own.key.sessionId,
    });
    await expectChanged(account, next, own, [other]);
  });

  test.each([
    ["login", 0],
    ["change", 1],
  ])(
    "that broke off after its write, its process killed, is finished by the next %s",
    async (_, isChange) => {
      const { account, other, own } = await open();
      const next = newPassword();
      wire.break("Query", loseRequest, { times: 3 });
      wire.break("BatchWriteItem", loseRequest, { times: 99 });
      expectProblem(await change(own, account.password, next), refusals.unavailable);
      wire.mend();
      expect(await findUser(account)).toMatchObject({ sessionEpoch: 1, sweptEpoch: 0 });
      expect(await service.findSession(other)).toBeDefined();
      if (!isChange) {
        await service.logIn({ account: { ...account, password: next } });
        return expectChanged(account, next, own, [other]);
      }
      // The same request once more: the password it names is not the current one any more.
      expectProblem(await change(own, account.password, next), refusals.wrongPassword);
      const last = newPassword();
      expectJson(await change(own, next, last), 200, { msg: "success" });
      await expectChanged(account, last, own, [other]);
    },
  );

  test("from a session that an unfinished change was to end finishes that, and is a 401", async () => {
    const { account, other, own } = await open();
    const next = newPassword();
    wire.break("Query", loseRequest, { times: 3 });
    expectProblem(await change(own, account.password, next), refusals.unavailable);
    wire.mend();
    expectProblem(await change(other, next, newPassword()), refusals.invalidToken);
    await expectChanged(account, next, own, [other]);
  });

  test("A31 of two at once exactly one wins, and its password logs in", async () => {
    const { account, other, own } = await open();
    const [lost, won] = [newPassword(), newPassword()];
    const held = hold("request");
    wire.break(write, held.fault);
    const losing = change(other, account.password, lost);
    await held.arrived;
    expectJson(await change(own, account.password, won), 200, { msg: "success" });
    await held.release();
    expectProblem(await losing, refusals.unavailable);
    expectProblem(await logIn(account, lost), refusals.loginFailed);
    await expectChanged(account, won, own, [other]);
  });

  test("that meets the end of all sessions between its look and its write looks again", async () => {
    const { account, other, own } = await open();
    const next = newPassword();
    wire.break(
      write,
      precededBy(() => database.change("users", { email: account.email }, { sessionEpoch: 1 })),
    );
    expectProblem(await change(own, account.password, next), refusals.unavailable);
    // That end was to end this session, too.
    expectProblem(await change(own, account.password, next), refusals.invalidToken);
    for (const pair of [own, other]) expectProblem(await service.refresh(pair), refusals.tokenExpired);
    pairOf(await logIn(account, account.password));
  });
});

describe("POST /auth/password is refused", () => {
  test("A29 with a wrong current password, which is counted as at login", async () => {
    const { account, own, other } = await open();
    const { email, password } = account;
    const wrong = () => change(own, "not the right password", newPassword());
    const steps = [live, lookUp];
    for (let i = 1; i <= 3; i++) await expectRefusal(wrong, refusals.wrongPassword, steps);
    for (let i = 4; i <= 5; i++) {
      expectProblem(await sandbox.login({ body: { email, password: "wrong" } }), refusals.loginFailed);
    }
    await expectRefusal(wrong, tooManyAttempts(30), steps);
    const right = () => change(own, password, newPassword());
    await expectRefusal(right, tooManyAttempts(30), [live, "GetItem users"]);
    clock.advance(30);
    const next = newPassword();
    expectJson(await change(own, password, next), 200, { msg: "success" });
    // The success has cleared the row: four failures are free again.
    for (let i = 1; i <= 4; i++)
      expectProblem(await change(own, "wrong", newPassword()), refusals.wrongPassword);
    expectJson(await change(own, next, newPassword()), 200, { msg: "success" });
    expectProblem(await service.refresh(other), refusals.tokenExpired);
  });

  test("R41 when the session has been ended although its JWT lives, before any password is looked at", async () => {
    const { account, other, own } = await open();
    const { sessionId } = other.key;
    expectNoContent(await sandbox.revokeSession({ cookies: own.cookies, pathParameters: { sessionId } }));
    expect((await sandbox.me({ cookies: other.cookies })).statusCode).toBe(200);
    const attempt = () => change(other, account.password, newPassword());
    await expectRefusal(attempt, refusals.invalidToken, [live]);
    await expectRefusal(() => change(other, 1, 2), refusals.invalidToken, [live]);
    // So it is when the session is over and not deleted yet.
    await database.change("sessions", own.key, { expiresAt: clock.now });
    await expectRefusal(() => change(own, account.password, newPassword()), refusals.invalidToken, [live]);
  });

  test("when something cannot be read, or its write does not reach the table: 503, and nothing is changed", async () => {
    const { account, own } = await open();
    const before = await database.find("users", { email: account.email });
    for (const [name, fault] of [
      ["GetItem sessions", fail],
      ["UpdateItem attempts", throttle],
      ["GetItem users", fail],
      [write, loseRequest],
    ] as const) {
      wire.break(name, fault, { times: 3 });
      expectProblem(await change(own, account.password, newPassword()), refusals.unavailable);
    }
    expect(await database.find("users", { email: account.email })).toEqual(before);
  });

  test("for a JWT whose account is gone, or whose address is somebody else's", async () => {
    const { account, own } = await open();
    const { email, password } = account;
    await database.delete("users", { email });
    expectProblem(await change(own, password, newPassword()), refusals.invalidToken);
    await sandbox.register({ body: { email, password } });
    const before = await database.find("users", { email });
    expectProblem(await change(own, password, newPassword()), refusals.invalidToken);
    expect(await database.find("users", { email })).toEqual(before);
  });

  test("A29 for a new password that is too short, common, the own e-mail or the current one; none takes an attempt", async () => {
    const { account, own } = await open();
    const { email, password } = account;
    for (const [next, detail] of [
      ["fourteen chars", "must have 15 to 256 characters"],
      ["1234567890987654321", "is among the most common passwords; choose another one"],
      [email.toUpperCase(), "must not be or contain your e-mail address"],
      [password, "must not be the current password"],
      [password.replace("c", "\uff43"), "must not be the current password"],
    ] as const) {
      await expectRefusal(() => change(own, password, next), invalidBody(["newPassword", detail]), [live]);
    }
  });

  test("A29 for a current password that can be none", async () => {
    const { own } = await open();
    const detail = "must have 1 to 256 characters";
    await expectRefusal(() => change(own, "", newPassword()), invalidBody(["currentPassword", detail]), [
      live,
    ]);
    await expectRefusal(() => sandbox.changePassword({ cookies: own.cookies }), refusals.noObject, [live]);
  });
});

test("R25 a login with the old password that races the change ends up without a session, in every order", async () => {
  const { account, own } = await open();
  const { email, password, userId } = account;
  await raceLogin(service, {
    account,
    act: (as) => change(own, password, newPassword(), as),
    check: async ({ login, other }) => {
      expect(other.statusCode).toBe(200);
      // Answered before the change, it was a session and is none any more.
      expect([200, 401]).toContain(login.statusCode);
      const left = await database.sessionsOf(userId);
      expect(left.map(({ sessionId }) => sessionId)).toEqual([own.key.sessionId]);
      expect(await database.find("users", { email })).toMatchObject({ sessionEpoch: 1, sweptEpoch: 1 });
    },
  });
  await service.rotate(own);
});
