import { randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import type { ApiResponse } from "../lib/http/response.ts";
import { expectJson, expectNoContent, expectProblem, refusals } from "./support/answer.ts";
import { clock } from "./support/clock.ts";
import { fail, loseAnswer, loseRequest, precededBy, throttle } from "./support/faults.ts";
import { interleave, rememberAccount } from "./support/interleave.ts";
import { keepSecrets } from "./support/log.ts";
import { type Pair, pairOf } from "./support/pair.ts";
import type { Sandbox } from "./support/sandbox.ts";
import { type Account, lookUp, type Service, startServices } from "./support/service.ts";

const services = await startServices();
const [service, embedded] = services;
const { sandbox, database, wire, expectRefusal } = service;
const live = "GetItem sessions";
const write = "UpdateItem users";
const sweep = ["Query sessions", "BatchWriteItem sessions", "UpdateItem users"];

/** An account with two sessions: another one, and the one that the test acts from. */
async function open(as: Service = service): Promise<{ account: Account; other: Pair; own: Pair }> {
  const account = await as.register();
  return { account, other: await as.logIn({ account }), own: await as.logIn({ account }) };
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

const invalid = (field: string, detail: string) => ({
  status: 400,
  code: "invalid_body",
  detail: `${field} ${detail}`,
  errors: [{ pointer: `#/${field}`, detail }],
});

describe.each(services)("POST /auth/password on $engine", (service) => {
  const { sandbox, database, wire, expectRequests } = service;
  const findUser = ({ email }: Account) => database.find("users", { email });
  const logIn = ({ email }: Account, password: string) => sandbox.login({ body: { email, password } });

  /** Asserts that the change holds: this password and no other, this session and no other. */
  async function expectChanged(account: Account, password: string, own: Pair, others: Pair[]) {
    for (const pair of others) {
      expectProblem(await service.refresh(pair), refusals.tokenExpired);
      expect(await service.findSession(pair)).toBeUndefined();
    }
    expectProblem(await logIn(account, account.password), refusals.loginFailed);
    const next = pairOf(await logIn(account, password));
    await service.rotate(own);
    await service.rotate(next);
    const user = await findUser(account);
    expect(user?.sweptEpoch).toBe(user?.sessionEpoch);
  }

  test("A30 R24 changes it with one conditional write, ends all other sessions and keeps this one", async () => {
    const { account, other, own } = await open(service);
    const before = await findUser(account);
    const next = newPassword();
    const response = await expectRequests([live, lookUp, write, ...sweep], () =>
      change(own, account.password, next, sandbox),
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

  test("S15 knows its own write when the answer was lost and the SDK tried again", async () => {
    const { account, other, own } = await open(service);
    const look = service.engine === "embedded" ? ["GetItem users"] : [];
    const next = newPassword();
    wire.break(write, loseAnswer);
    const response = await expectRequests([live, lookUp, write, write, ...look, ...sweep], () =>
      change(own, account.password, next, sandbox),
    );
    expectJson(response, 200, { msg: "success" });
    expect((await findUser(account))?.sessionEpoch).toBe(1);
    await expectChanged(account, next, own, [other]);
  });

  test("whose write never reaches the table is a 503 that changed nothing", async () => {
    const { account, other, own } = await open(service);
    const before = await findUser(account);
    wire.break(write, loseRequest, { times: 3 });
    expectProblem(await change(own, account.password, newPassword(), sandbox), refusals.unavailable);
    expect(await findUser(account)).toEqual(before);
    await service.rotate(other);
  });

  test.each([
    ["login", 0],
    ["change", 1],
  ])(
    "that broke off after its write, its process killed, is finished by the next %s",
    async (_, isChange) => {
      const { account, other, own } = await open(service);
      const next = newPassword();
      wire.break("Query", loseRequest, { times: 3 });
      wire.break("BatchWriteItem", loseRequest, { times: 99 });
      expectProblem(await change(own, account.password, next, sandbox), refusals.unavailable);
      wire.mend();
      expect(await findUser(account)).toMatchObject({ sessionEpoch: 1, sweptEpoch: 0 });
      expect(await service.findSession(other)).toBeDefined();
      if (isChange) {
        // The same request once more: the password it names is not the current one any more.
        expectProblem(await change(own, account.password, next, sandbox), refusals.wrongPassword);
        const last = newPassword();
        expectJson(await change(own, next, last, sandbox), 200, { msg: "success" });
        return expectChanged(account, last, own, [other]);
      }
      const later = pairOf(await logIn(account, next));
      expectProblem(await service.refresh(other), refusals.tokenExpired);
      await service.rotate(later);
      await expectChanged(account, next, own, [other]);
    },
  );

  test("from a session that an unfinished change was to end finishes that, and is a 401", async () => {
    const { account, other, own } = await open(service);
    const next = newPassword();
    wire.break("Query", loseRequest, { times: 3 });
    expectProblem(await change(own, account.password, next, sandbox), refusals.unavailable);
    wire.mend();
    expectProblem(await change(other, next, newPassword(), sandbox), refusals.invalidToken);
    await expectChanged(account, next, own, [other]);
  });

  test("A31 of two at once exactly one wins, and its password logs in", async () => {
    const { account, other, own } = await open(service);
    const passwords = [newPassword(), newPassword()] as const;
    const answers = await Promise.all([
      change(own, account.password, passwords[0], sandbox),
      change(other, account.password, passwords[1], sandbox),
    ]);
    const winner = answers.findIndex(({ statusCode }) => statusCode === 200);
    const loser = answers[1 - winner];
    expect(answers.filter(({ statusCode }) => statusCode === 200)).toHaveLength(1);
    expect([401, 503]).toContain(loser?.statusCode);
    const [kept, ended] = winner === 0 ? [own, other] : [other, own];
    expectProblem(await logIn(account, passwords[1 - winner] ?? ""), refusals.loginFailed);
    await expectChanged(account, passwords[winner] ?? "", kept, [ended]);
  });

  test("that meets the end of all sessions between its look and its write looks again", async () => {
    const { account, other, own } = await open(service);
    const next = newPassword();
    wire.break(
      write,
      precededBy(() => database.change("users", { email: account.email }, { sessionEpoch: 1 })),
    );
    expectProblem(await change(own, account.password, next, sandbox), refusals.unavailable);
    // That end was to end this session, too.
    expectProblem(await change(own, account.password, next, sandbox), refusals.invalidToken);
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
    const waiting = { status: 429, code: "too_many_attempts", headers: { "retry-after": "30" } };
    const detail = "Too many attempts in a row. The next one is possible in 30 s.";
    await expectRefusal(wrong, { ...waiting, detail }, steps);
    await expectRefusal(() => change(own, password, newPassword()), { ...waiting, detail }, [
      live,
      "GetItem users",
    ]);
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
    expectNoContent(
      await sandbox.revokeSession({
        cookies: own.cookies,
        pathParameters: { sessionId: other.key.sessionId },
      }),
    );
    expect((await sandbox.me({ cookies: other.cookies })).statusCode).toBe(200);
    const attempt = () => change(other, account.password, newPassword());
    await expectRefusal(attempt, refusals.invalidToken, [live]);
    await expectRefusal(() => change(other, 1, 2), refusals.invalidToken, [live]);
    expect(wire.requests.find(({ name }) => name === live)?.parameters.ConsistentRead).toBe(true);
  });

  test("when the session is over and not deleted yet", async () => {
    const { account, own } = await open();
    await database.change("sessions", own.key, { expiresAt: clock.now });
    await expectRefusal(() => change(own, account.password, newPassword()), refusals.invalidToken, [live]);
  });

  test("when the sessions or the attempts cannot be read: 503, and nothing is changed", async () => {
    const { account, own } = await open();
    const before = await database.find("users", { email: account.email });
    for (const [name, fault] of [
      ["GetItem sessions", fail],
      ["UpdateItem attempts", throttle],
      ["GetItem users", fail],
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

  test.each([
    ["too short", "fourteen chars", "must have 15 to 256 characters"],
    ["too long", "x".repeat(257), "must have 15 to 256 characters"],
    ["no text", 1, "must be a string"],
    ["not Unicode", "a lone surrogate \ud800", "must have 15 to 256 characters"],
    ["missing", undefined, "is missing"],
  ])("for a new password that is %s", async (_, next, detail) => {
    const { account, own } = await open();
    await expectRefusal(() => change(own, account.password, next), invalid("newPassword", detail), [live]);
  });

  test("A29 for a new password that is common, the own e-mail or the current one; none takes an attempt", async () => {
    const { account, own } = await open();
    const { email, password } = account;
    for (const [next, detail] of [
      ["1234567890987654321", "is among the most common passwords; choose another one"],
      [email.toUpperCase(), "must not be or contain your e-mail address"],
      [password, "must not be the current password"],
      [password.replace("c", "\uff43"), "must not be the current password"],
    ] as const) {
      await expectRefusal(() => change(own, password, next), invalid("newPassword", detail), [live]);
    }
  });

  test("A29 for a current password that can be none", async () => {
    const { own } = await open();
    const detail = "must have 1 to 256 characters";
    await expectRefusal(() => change(own, "", newPassword()), invalid("currentPassword", detail), [live]);
    await expectRefusal(() => sandbox.changePassword({ cookies: own.cookies }), refusals.noObject, [live]);
  });
});

test("R25 a login with the old password that races the change ends up without a session, in every order", async () => {
  const { wire, database, environment } = embedded;
  const at = (path: string) =>
    embedded.createSandbox({ DYNAMODB_ENDPOINT: `${environment.DYNAMODB_ENDPOINT}${path}` });
  const [logging, changing] = [at("/login"), at("/change")];
  const { account, own } = await open(embedded);
  const { email, password } = account;
  const restore = await rememberAccount(database, account);
  let answers: { login?: ApiResponse; change?: ApiResponse };
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
          path: "/change",
          act: async () => {
            answers.change = await change(own, password, newPassword(), changing);
          },
        },
      ];
    },
    async (order) => {
      expect([order, answers.change?.statusCode]).toEqual([order, 200]);
      // Answered before the change, it was a session and is none any more.
      expect([order, [200, 401]]).toEqual([order, expect.arrayContaining([answers.login?.statusCode])]);
      const left = await database.sessionsOf(account.userId);
      expect([order, left.map(({ sessionId }) => sessionId)]).toEqual([order, [own.key.sessionId]]);
      const user = await database.find("users", { email });
      expect([order, user?.sessionEpoch, user?.sweptEpoch]).toEqual([order, 1, 1]);
    },
  );
  expect(runs).toBeGreaterThan(10);
  await embedded.rotate(own);
});
