import { randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { createRefreshToken, hashToken } from "../../lib/tokens/refresh-token.ts";
import {
  bodyOf,
  expectNoContent,
  expectProblem,
  invalidBody,
  refusals,
  tooManyAttempts,
} from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import type { Item } from "../support/database.ts";
import { fail, hold, loseAnswer, loseRequest, precededBy, throttle } from "../support/faults.ts";
import { raceLogin } from "../support/interleave.ts";
import { keepSecrets, log } from "../support/log.ts";
import { type Pair, pairOf } from "../support/pair.ts";
import { key } from "../support/rotations.ts";
import type { Sandbox } from "../support/sandbox.ts";
import { type Account, proof, startService } from "../support/service.ts";

const service = await startService();
const { sandbox, database, wire, expectRequests, expectRefusal } = service;
const live = "GetItem sessions";
const write = "UpdateItem users";
/** What a new session takes, with the end of all others. */
const opening = [
  "PutItem sessions",
  "Query sessions",
  "BatchWriteItem sessions",
  "UpdateItem users",
  "GetItem users",
];

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
  const findUser = ({ userId }: Account) => database.find("users", { userId });
  const logIn = ({ email }: Account, password: string) => sandbox.login({ body: { email, password } });

  /** Asserts that the change holds: this password and no other, this session (if one was answered) and no other. */
  async function expectChanged(account: Account, password: string, others: Pair[], opened?: Pair) {
    await service.expectOver(others);
    expectProblem(await logIn(account, account.password), refusals.loginFailed);
    const next = pairOf(await logIn(account, password));
    if (opened) await service.rotate(opened);
    await service.rotate(next);
    const user = await findUser(account);
    expect(user?.sweptEpoch).toBe(user?.sessionEpoch);
  }

  test.each([
    ["A30 R24 changes it with one conditional write, ends every session and opens a new one", 0],
    ["S15 knows its own write when the answer was lost and the SDK tried again", 1],
  ])("%s", async (_, lost) => {
    const { account, other, own } = await open();
    const before = await findUser(account);
    const next = newPassword();
    wire.break(write, loseAnswer, { times: lost });
    const writes = Array(1 + lost).fill(write);
    const response = await expectRequests([live, ...proof, ...writes, ...opening], () =>
      change(own, account.password, next),
    );
    const opened = pairOf(response);
    expect(opened.claims).toMatchObject({ sub: account.userId, auth_time: clock.now });
    expect(opened.key.sessionId).not.toBe(own.key.sessionId);
    expect(await findUser(account)).toEqual({
      ...before,
      passwordHash: expect.stringMatching(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/),
      passwordChangedAt: clock.now,
      lastChange: {
        ...{ id: expect.any(String), event: "authn_password_change", by: "user", at: clock.now },
        ...{ ip: "192.0.2.7", device: "unknown browser", requestId: log.entries().at(-1)?.requestId },
      },
      sessionEpoch: 1,
      sweptEpoch: 1,
    });
    await expectChanged(account, next, [own, other], opened);
  });

  test.each([
    ["a put", "PutItem sessions", fail, 3],
    ["its sweep", "Query sessions", loseRequest, 3],
  ])(
    "that broke off at %s is a 503 without a pair: the new password holds, and the next login ends the rest",
    async (_, name, fault, times) => {
      const { account, other, own } = await open();
      const next = newPassword();
      wire.break(name, fault, { times });
      expectProblem(await change(own, account.password, next), refusals.unavailable);
      expect(await findUser(account)).toMatchObject({ sessionEpoch: 1, sweptEpoch: 0 });
      expect((await database.sessionsOf(account.userId)).length).toBe(2);
      // The same request once more, from a session that is over in truth: the client logs in with the new password.
      expectProblem(await change(own, next, newPassword()), refusals.invalidToken);
      await service.logIn({ account: { ...account, password: next } });
      await expectChanged(account, next, [own, other]);
    },
  );

  test("answers where the credentials came from, keeps the Session-Key and has the client recognised", async () => {
    const account = await service.addAccount();
    const { email, password } = account;
    const sessionKey = createRefreshToken();
    const headers = { "auth-mode": "bearer", "session-key": sessionKey, "idempotency-key": key };
    const first = bodyOf(await sandbox.login({ body: { email, password }, headers }));
    const authorization = `Bearer ${first.token}`;
    const next = newPassword();
    const body = { currentPassword: password, newPassword: next, device: first.device };
    const without = () => sandbox.changePassword({ body, headers: { authorization } });
    await expectRefusal(without, refusals.sessionKeyRequired, [live]);
    const odd = { authorization, "auth-mode": "cookie", "session-key": sessionKey };
    expect((await sandbox.changePassword({ body, headers: odd })).statusCode).toBe(400);
    const response = await sandbox.changePassword({
      body,
      headers: { authorization, "session-key": sessionKey, "idempotency-key": key },
    });
    expect(response.cookies).toBeUndefined();
    const { token, refreshToken, device } = bodyOf(response);
    const stored = (await database.sessionsOf(account.userId)) as Item[];
    expect(stored).toMatchObject([{ keyed: true, sessionKeyHash: hashToken(sessionKey), sessionEpoch: 1 }]);
    expect(device).toMatch(new RegExp(`^${stored[0]?.sessionId}\\.1\\.`));
    const bearer = { "auth-mode": "bearer", "session-key": sessionKey };
    expect((await sandbox.refresh({ body: { token, refreshToken }, headers: bearer })).statusCode).toBe(200);
  });

  test("with Auth-Mode beside the cookie is a 400: no script turns the cookie into readable text", async () => {
    const { account, own } = await open();
    const body = { currentPassword: account.password, newPassword: newPassword() };
    const call = () =>
      sandbox.changePassword({ cookies: own.cookies, body, headers: { "auth-mode": "bearer" } });
    await expectRefusal(call, refusals.conflict, [live]);
  });

  test("A31 of two at once exactly one wins, and its password logs in", async () => {
    const { account, other, own } = await open();
    const [lost, won] = [newPassword(), newPassword()];
    const held = hold("request");
    wire.break(write, held.fault);
    const losing = change(other, account.password, lost);
    await held.arrived;
    const opened = pairOf(await change(own, account.password, won));
    await held.release();
    expectProblem(await losing, refusals.unavailable);
    expectProblem(await logIn(account, lost), refusals.loginFailed);
    await expectChanged(account, won, [own, other], opened);
  });

  test("that meets the end of all sessions between its look and its write looks again", async () => {
    const { account, other, own } = await open();
    const next = newPassword();
    wire.break(
      write,
      precededBy(() => database.change("users", { userId: account.userId }, { sessionEpoch: 1 })),
    );
    expectProblem(await change(own, account.password, next), refusals.unavailable);
    // That end was to end this session, too.
    expectProblem(await change(own, account.password, next), refusals.invalidToken);
    pairOf(await logIn(account, account.password));
    for (const pair of [own, other]) expectProblem(await service.refresh(pair), refusals.tokenExpired);
  });
});

describe("POST /auth/password is refused", () => {
  test("A29 with a wrong current password, which is counted as at login", async () => {
    const { account, own, other } = await open();
    const { email, password } = account;
    const wrong = () => change(own, "not the right password", newPassword());
    const steps = [live, ...proof];
    for (let i = 1; i <= 3; i++) await expectRefusal(wrong, refusals.wrongPassword, steps);
    for (let i = 4; i <= 5; i++) {
      expectProblem(await sandbox.login({ body: { email, password: "wrong" } }), refusals.loginFailed);
    }
    await expectRefusal(wrong, tooManyAttempts(30), steps);
    const right = () => change(own, password, newPassword());
    await expectRefusal(right, tooManyAttempts(30), [live, "GetItem users"]);
    clock.advance(30);
    const next = newPassword();
    const opened = pairOf(await change(own, password, next));
    clock.advance(600);
    // The success has cleared the row: four failures are free again.
    for (let i = 1; i <= 4; i++)
      expectProblem(await change(opened, "wrong", newPassword()), refusals.wrongPassword);
    pairOf(await change(opened, next, newPassword()));
    expectProblem(await service.refresh(other), refusals.tokenExpired);
  });

  test("ten minutes long after a change: a thief who knows the password cannot void each code that its owner asks for", async () => {
    const { account, own } = await open();
    const next = newPassword();
    const opened = pairOf(await change(own, account.password, next));
    const pause = (seconds: number) => ({
      ...{ status: 429, code: "too_many_requests", headers: { "retry-after": String(seconds) } },
      detail: `The password was changed a short time ago. The next change is possible in ${seconds} s.`,
    });
    const again = () => change(opened, next, newPassword());
    await expectRefusal(again, pause(600), [live, "GetItem users"]);
    clock.advance(599);
    await expectRefusal(again, pause(1), [live, "GetItem users"]);
    clock.advance(1);
    pairOf(await again());
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
    const before = await database.find("users", { userId: account.userId });
    for (const [name, fault] of [
      ["GetItem sessions", fail],
      ["UpdateItem attempts", throttle],
      ["GetItem users", fail],
      [write, loseRequest],
    ] as const) {
      wire.break(name, fault, { times: 3 });
      expectProblem(await change(own, account.password, newPassword()), refusals.unavailable);
    }
    expect(await database.find("users", { userId: account.userId })).toEqual(before);
  });

  test("for a JWT whose account is gone, or whose address is somebody else's", async () => {
    const { account, own } = await open();
    const { email, password, userId } = account;
    await database.delete("users", { userId });
    expectProblem(await change(own, password, newPassword()), refusals.invalidToken);
    const { userId: owner } = bodyOf(await sandbox.register({ body: { email, password } }));
    const before = await database.find("users", { userId: owner });
    expectProblem(await change(own, password, newPassword()), refusals.invalidToken);
    expect(await database.find("users", { userId: owner })).toEqual(before);
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
  const { password, userId } = account;
  await raceLogin(service, {
    account,
    act: (as) => change(own, password, newPassword(), as),
    check: async ({ login, other }) => {
      expect(other.statusCode).toBe(200);
      // Answered before the change, it was a session and is none any more.
      expect([200, 401]).toContain(login.statusCode);
      const left = await database.sessionsOf(userId);
      expect(left.map(({ sessionId }) => sessionId)).toEqual([pairOf(other).key.sessionId]);
      expect(await database.find("users", { userId })).toMatchObject({ sessionEpoch: 1, sweptEpoch: 1 });
    },
  });
  await service.expectOver([own]);
});
