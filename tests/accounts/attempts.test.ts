import { randomUUID } from "node:crypto";
import { expect, test } from "@jest/globals";
import type { ApiResponse } from "../../lib/http/response.ts";
import { expectProblem, refusals, tooManyAttempts } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { gather, loseAnswer, throttle } from "../support/faults.ts";
import { createHashKey, hashKeySettings } from "../support/keys.ts";
import { expectHashes } from "../support/password-hashes.ts";
import { type Account, lookUp, startService } from "../support/service.ts";

const service = await startService();
const { sandbox, database, wire, expectRequests } = service;
const count = "UpdateItem attempts";
const forget = "DeleteItem attempts";
const opened = ["PutItem sessions", "GetItem users"];
const pauses = [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600];

const logIn = ({ email, password }: Account) => sandbox.login({ body: { email, password } });
const guess = (email: string) => sandbox.login({ body: { email, password: "not the right password" } });

async function guessTimes(times: number, email: string): Promise<void> {
  for (let i = 0; i < times; i++) expectProblem(await guess(email), refusals.loginFailed);
}

/** Guesses this many times at once: each request that counts is held back until all have arrived. */
async function guessAtOnce(times: number, email: string): Promise<number[]> {
  wire.break(count, gather(times), { times });
  const answers = await Promise.all(Array.from({ length: times }, () => guess(email)));
  return answers.map(({ statusCode }) => statusCode).sort();
}

/** The statuses of guesses at once, of which some are looked at. */
const statuses = (looked: number, refused: number) => [
  ...Array(looked).fill(401),
  ...Array(refused).fill(429),
];

/** Begins to look for the row of attempts that comes next. */
async function watchRows() {
  const known = new Set((await database.scan("attempts")).map(({ id }) => id));
  return async () => (await database.scan("attempts")).find(({ id }) => !known.has(id));
}

test("A20 five attempts are free, then each waits longer: 30 s, doubling to an hour; the right password waits, too", async () => {
  const account = await service.addAccount();
  await guessTimes(3, account.email);
  // Every spelling of the address counts in one row.
  await guessTimes(2, ` ${account.email.toUpperCase()} `);
  for (const pause of pauses) {
    expectProblem(await guess(account.email), tooManyAttempts(pause));
    clock.advance(pause - 1);
    // What is refused makes no pause longer.
    expectProblem(await logIn(account), tooManyAttempts(1));
    clock.advance(1);
    await guessTimes(1, account.email);
  }
  expectProblem(await logIn(account), tooManyAttempts(3_600));
  clock.advance(3_600);
  expect((await logIn(account)).statusCode).toBe(200);
  // The success has cleared the row, and then five are free again.
  await guessTimes(5, account.email);
});

test("A21 attempts give the same bytes and the same requests whether or not there is an account", async () => {
  const { email } = await service.addAccount();
  const answers = await Promise.all(
    [email, `nobody.${randomUUID()}@example.com`].map(async (address) => {
      const list: ApiResponse[] = [];
      for (let i = 0; i < 8; i++) list.push(await guess(address));
      return list.map(({ body, ...rest }) => ({ ...rest, ...JSON.parse(body ?? ""), instance: "" }));
    }),
  );
  expect(answers[0]).toEqual(answers[1]);
  expect(answers[0]?.map(({ status }) => status)).toEqual(statuses(5, 3));
  // A refusal is kept for five seconds: a flood at one account is no flood at its row.
  await expectRequests(["GetItem identities", "GetItem users"], () => guess(email));
  clock.advance(5);
  await expectRequests(lookUp, () => guess(email));
  await expectRequests(lookUp, () => guess(`nobody.${randomUUID()}@example.com`));
});

test("S22 a flood of attempts at one account is five checks and six writes, and no other account notices", async () => {
  const [victim, other] = [await service.addAccount(), await service.addAccount()];
  wire.forget();
  const answers: number[] = [];
  await expectHashes(5, async () => {
    for (let i = 0; i < 200; i++) answers.push((await guess(victim.email)).statusCode);
    // What has to wait is refused without a look at the password, the right one included.
    expectProblem(await logIn(victim), tooManyAttempts(30));
  });
  expect(answers).toEqual(statuses(5, 195));
  expect(wire.names.filter((name) => name === count)).toHaveLength(6);
  expect((await logIn(other)).statusCode).toBe(200);
});

test("T05 attempts are forgotten after a day without one, though DynamoDB has not deleted the row", async () => {
  const account = await service.addAccount();
  await guessTimes(5, account.email);
  clock.advance(86_399);
  await guessTimes(1, account.email);
  expectProblem(await logIn(account), tooManyAttempts(60));
  clock.advance(86_400);
  await expectRequests([...lookUp, "PutItem attempts", ...opened], () => logIn(account));
  await guessTimes(4, account.email);
  expectProblem(await guess(account.email), tooManyAttempts(30));
});

test("attempts are known as our own when the answer was lost and the SDK tried again", async () => {
  const account = await service.addAccount();
  await guessTimes(5, account.email);
  clock.advance(30);
  wire.break(count, loseAnswer);
  // Without that, the right password would have to wait for its own attempt.
  await expectRequests(["GetItem identities", ["GetItem users", count, count], forget, ...opened], async () =>
    expect((await logIn(account)).statusCode).toBe(200),
  );
});

test.each([
  [40, 0, 0, 5],
  [20, 5, 86_400, 5],
  [20, 5, 30, 1],
])("A23 of %i attempts at once, %i attempts before and %i s later, %i are looked at", async (...row) => {
  const [count, before, seconds, looked] = row;
  const { email } = await service.addAccount();
  await guessTimes(before, email);
  clock.advance(seconds);
  wire.forget();
  expect(await guessAtOnce(count, email)).toEqual(statuses(looked, count - looked));
  expect(wire.appliedWrites).toHaveLength(looked);
  expectProblem(await guess(email), tooManyAttempts(looked === 1 ? 60 : 30));
});

test.each([
  ["deleteAccount", 204],
  ["changePassword", 200],
] as const)(
  "attempts are counted anew at %s, too, when the row is forgotten and not yet deleted",
  async (route, status) => {
    const account = await service.addAccount();
    const { password } = account;
    const body = {
      deleteAccount: { password },
      changePassword: { currentPassword: password, newPassword: `${password} and more` },
    }[route];
    const findRow = await watchRows();
    const { cookies } = await service.logIn({ account });
    await guessTimes(4, account.email);
    await database.change("attempts", { id: (await findRow())?.id }, { expiresAt: clock.now });
    wire.forget();
    const { statusCode } = await sandbox[route]({ cookies, body });
    expect([statusCode, wire.appliedWrites[0]]).toEqual([status, "PutItem attempts"]);
  },
);

test("A26 attempts are cleared by a success; one that succeeds at once sends no request for it, and stays counted", async () => {
  const account = await service.addAccount();
  await expectRequests([...lookUp, ...opened], () => logIn(account));
  await guessTimes(1, account.email);
  await expectRequests([...lookUp, forget, ...opened], () => logIn(account));
  await expectRequests([...lookUp, ...opened], () => logIn(account));
  await guessTimes(4, account.email);
  expectProblem(await guess(account.email), tooManyAttempts(30));
});

test("a success whose clearing fails is a success", async () => {
  const account = await service.addAccount();
  await guessTimes(1, account.email);
  wire.break(forget, throttle, { times: 3 });
  expect((await logIn(account)).statusCode).toBe(200);
});

test("A22 attempts never stop a live session: it refreshes, lists, and logs out", async () => {
  const account = await service.addAccount();
  const pair = await service.logIn({ account });
  await guessTimes(4, account.email);
  expectProblem(await logIn(account), tooManyAttempts(30));
  const { cookies } = await service.rotate(pair);
  expect((await sandbox.listSessions({ cookies })).statusCode).toBe(200);
  expect((await sandbox.logout({ cookies })).statusCode).toBe(200);
});

test("attempts name nobody in the table, which holds no more than counters", async () => {
  const findRow = await watchRows();
  const { email } = await service.addAccount();
  await guessTimes(2, email);
  expect(await findRow()).toEqual({
    id: expect.stringMatching(/^[\w-]{43}$/),
    count: 2,
    lastAt: clock.now,
    expiresAt: clock.now + 86_400,
    lastAttemptId: expect.any(String),
  });
  // Nor can it be guessed: it is keyed with what only the counting functions know.
  const findOther = await watchRows();
  const otherKey = service.createSandbox(hashKeySettings(createHashKey()));
  await otherKey.login({ body: { email, password: "wrong" } });
  expect((await findOther())?.count).toBe(1);
});

test("S21 attempts that cannot be counted make a login a 503, and harm no refresh", async () => {
  const account = await service.addAccount();
  const pair = await service.logIn({ account });
  wire.break(count, throttle, { times: 3 });
  wire.forget();
  expectProblem(await logIn(account), refusals.unavailable);
  expect(wire.appliedWrites).toEqual([]);
  await service.rotate(pair);
  expect((await logIn(account)).statusCode).toBe(200);
});

test.each([
  ["no count", { count: undefined }, 500],
  ["a count in text", { count: "1" }, 500],
  ["no end", { expiresAt: undefined }, 500],
  ["no time, which the next attempt sets", { lastAt: undefined }, 200],
])("an attempt on a row with %s is never a free guess", async (_, damage, status) => {
  const findRow = await watchRows();
  const account = await service.addAccount();
  await guessTimes(1, account.email);
  await database.change("attempts", { id: (await findRow())?.id }, damage);
  expect((await logIn(account)).statusCode).toBe(status);
});
