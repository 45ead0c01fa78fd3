import { randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import type { ApiResponse } from "../lib/http/response.ts";
import { expectProblem, refusals } from "./support/answer.ts";
import { clock } from "./support/clock.ts";
import { hang, loseAnswer, throttle } from "./support/faults.ts";
import { createKey, keySettings } from "./support/keys.ts";
import { expectHashes } from "./support/password-hashes.ts";
import { type Account, lookUp, type Service, startServices } from "./support/service.ts";

const services = await startServices();
const count = "UpdateItem attempts";
const forget = "DeleteItem attempts";
const opened = ["PutItem sessions", "GetItem users"];
const pauses = [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600];

const waiting = (seconds: number) => ({
  status: 429,
  code: "too_many_attempts",
  detail: `Too many attempts in a row. The next one is possible in ${seconds} s.`,
  headers: { "retry-after": String(seconds) },
});

/** What the tests do on one engine. */
function createTools(service: Service) {
  const { sandbox, database } = service;
  const rowIds = async () => new Set((await database.scan("attempts")).map(({ id }) => id as string));
  const guess = (email: string) => sandbox.login({ body: { email, password: "not the right password" } });

  return {
    guess,
    logIn: ({ email, password }: Account) => sandbox.login({ body: { email, password } }),

    async guessTimes(times: number, email: string) {
      for (let i = 0; i < times; i++) expectProblem(await guess(email), refusals.loginFailed);
    },

    rowIds,

    /** The row that came since the last look. */
    async findNewRow(before: Set<string>) {
      return (await database.scan("attempts")).find(({ id }) => !before.has(id));
    },
  };
}

describe.each(services)("attempts to log in on $engine", (service) => {
  const { wire, expectRequests } = service;
  const { guess, guessTimes, logIn } = createTools(service);
  // The embedded engine does not return the item that refused a write.
  const look = service.engine === "embedded" ? ["GetItem attempts"] : [];

  test("A20 5 are free, then each waits longer: 30 s, doubling to an hour; the right password waits, too", async () => {
    const account = await service.register();
    await guessTimes(5, account.email);
    for (const pause of pauses) {
      expectProblem(await guess(account.email), waiting(pause));
      clock.advance(pause - 1);
      // What is refused makes no pause longer.
      expectProblem(await logIn(account), waiting(1));
      clock.advance(1);
      await guessTimes(1, account.email);
    }
    expectProblem(await logIn(account), waiting(3_600));
    clock.advance(3_600);
    expect((await logIn(account)).statusCode).toBe(200);
    // The success has cleared the row, and then 5 are free again.
    await guessTimes(5, account.email);
  });

  test("A21 give the same bytes and the same requests whether or not there is an account", async () => {
    const { email } = await service.register();
    const answers = await Promise.all(
      [email, `nobody.${randomUUID()}@example.com`].map(async (address) => {
        const list: ApiResponse[] = [];
        for (let i = 0; i < 8; i++) list.push(await guess(address));
        return list.map(({ body, ...rest }) => ({ ...rest, ...JSON.parse(body ?? ""), instance: "" }));
      }),
    );
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]?.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
    // A refusal is kept for 5 s: a flood at one account is no flood at its row.
    await expectRequests(["GetItem users"], () => guess(email));
    clock.advance(5);
    await expectRequests([lookUp, ...look], () => guess(email));
    await expectRequests([lookUp], () => guess(`nobody.${randomUUID()}@example.com`));
  });

  test("T05 are forgotten after a day without one, though DynamoDB has not deleted the row", async () => {
    const account = await service.register();
    await guessTimes(5, account.email);
    clock.advance(86_399);
    await guessTimes(1, account.email);
    expectProblem(await logIn(account), waiting(60));
    clock.advance(86_400);
    await expectRequests([lookUp, ...look, "PutItem attempts", ...opened], () => logIn(account));
    await guessTimes(4, account.email);
    expectProblem(await guess(account.email), waiting(30));
  });

  test("of 20 at once on a forgotten row no more than 5 are looked at", async () => {
    const { email } = await service.register();
    await guessTimes(5, email);
    clock.advance(86_400);
    const answers = await Promise.all(Array.from({ length: 20 }, () => guess(email)));
    const statuses = answers.map(({ statusCode }) => statusCode);
    expect(statuses.filter((status) => status === 401)).toHaveLength(5);
    expect(statuses.filter((status) => status === 429)).toHaveLength(15);
  });

  test("are known as our own when the answer was lost and the SDK tried again", async () => {
    const account = await service.register();
    await guessTimes(5, account.email);
    clock.advance(30);
    wire.break(count, loseAnswer);
    // Without that, the right password would have to wait for its own attempt.
    await expectRequests([["GetItem users", count, count, ...look], forget, ...opened], async () =>
      expect((await logIn(account)).statusCode).toBe(200),
    );
  });
});

describe("attempts to log in", () => {
  const [service] = services;
  const { sandbox, database, wire, expectRequests } = service;
  const { guess, guessTimes, logIn, rowIds, findNewRow } = createTools(service);

  test.each([
    [
      "changePassword",
      ({ password }: Account) => ({ currentPassword: password, newPassword: `another ${password}` }),
    ],
    ["deleteAccount", ({ password }: Account) => ({ password })],
  ] as const)(
    "are counted anew at %s, too, when the row is forgotten and not yet deleted",
    async (route, bodyOf) => {
      const account = await service.register();
      const before = await rowIds();
      const { cookies } = await service.logIn({ account });
      await guessTimes(4, account.email);
      const row = await findNewRow(before);
      await database.change("attempts", { id: row?.id }, { expiresAt: clock.now });
      wire.forget();
      expect((await sandbox[route]({ cookies, body: bodyOf(account) })).statusCode).toBeLessThan(300);
      expect(wire.appliedWrites[0]).toBe("PutItem attempts");
    },
  );

  test("that have to wait are refused without a look at the password, the right one included", async () => {
    const account = await service.register();
    await expectHashes(5, () => guessTimes(5, account.email));
    expectProblem(await expectHashes(0, () => logIn(account)), waiting(30));
    expectProblem(await expectHashes(0, () => guess(account.email)), waiting(30));
  });

  test("are one row for every spelling of the address", async () => {
    const { email } = await service.register();
    await guessTimes(3, email);
    await guessTimes(2, ` ${email.toUpperCase()} `);
    expectProblem(await guess(email), waiting(30));
  });

  test("A23 of 100 at once no more than 5 are looked at", async () => {
    const account = await service.register();
    const before = await rowIds();
    wire.forget();
    const answers = await Promise.all(Array.from({ length: 100 }, () => guess(account.email)));
    const statuses = answers.map(({ statusCode }) => statusCode);
    // So many at once are too much for one engine on a laptop: some are refused with a 503, counted or not.
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(5);
    expect([...new Set(statuses)].filter((status) => ![401, 429, 503].includes(status))).toEqual([]);
    expect(wire.requests.filter(({ name, isApplied }) => name === count && isApplied)).toHaveLength(5);
    expect((await findNewRow(before))?.count).toBe(5);
    expectProblem(await logIn(account), waiting(30));
  });

  test("of 20 at once after a pause one is looked at", async () => {
    const { email } = await service.register();
    await guessTimes(5, email);
    clock.advance(30);
    const answers = await Promise.all(Array.from({ length: 20 }, () => guess(email)));
    expect(answers.filter(({ statusCode }) => statusCode === 401)).toHaveLength(1);
    expectProblem(await guess(email), waiting(60));
  });

  test("A26 are cleared by a success; one that succeeds at once sends no request for it, and stays counted", async () => {
    const account = await service.register();
    await expectRequests([lookUp, ...opened], () => logIn(account));
    await guessTimes(1, account.email);
    await expectRequests([lookUp, forget, ...opened], () => logIn(account));
    await expectRequests([lookUp, ...opened], () => logIn(account));
    await guessTimes(4, account.email);
    expectProblem(await guess(account.email), waiting(30));
  });

  test("a success whose clearing fails is a success", async () => {
    const account = await service.register();
    await guessTimes(1, account.email);
    wire.break(forget, throttle, { times: 3 });
    expect((await logIn(account)).statusCode).toBe(200);
  });

  test("A22 never stop a live session: it refreshes, lists, and logs out", async () => {
    const account = await service.register();
    let pair = await service.logIn({ account });
    await Promise.all(Array.from({ length: 20 }, () => guess(account.email)));
    expectProblem(await logIn(account), waiting(30));
    pair = await service.rotate(pair);
    const { cookies } = pair;
    expect((await sandbox.listSessions({ cookies })).statusCode).toBe(200);
    expect((await sandbox.logout({ cookies })).statusCode).toBe(200);
  });

  test("of one account do not count for another", async () => {
    const [one, other] = [await service.register(), await service.register()];
    await Promise.all(Array.from({ length: 10 }, () => guess(one.email)));
    expect((await logIn(other)).statusCode).toBe(200);
  });

  test("name nobody in the table, which holds no more than counters", async () => {
    const before = await rowIds();
    const { email } = await service.register();
    await guessTimes(2, email);
    const row = await findNewRow(before);
    expect(row).toEqual({
      id: expect.stringMatching(/^[\w-]{43}$/),
      count: 2,
      lastAt: clock.now,
      expiresAt: clock.now + 86_400,
      lastAttemptId: expect.any(String),
    });
    // Nor can it be guessed: it is keyed with what only the signing functions know.
    const otherKey = service.createSandbox(keySettings(createKey("EdDSA")));
    const known = await rowIds();
    await otherKey.login({ body: { email, password: "wrong" } });
    expect((await findNewRow(known))?.count).toBe(1);
  });

  test.each([
    ["throttled", throttle],
    ["hanging", hang],
  ])("S21 that cannot be counted make a login a 503, and harm no refresh: %s", async (_, fault) => {
    const account = await service.register();
    const pair = await service.logIn({ account });
    wire.break(count, fault, { times: 3 });
    wire.forget();
    expectProblem(await logIn(account), refusals.unavailable);
    expect(wire.appliedWrites).toEqual([]);
    wire.mend();
    await service.rotate(pair);
    expect((await logIn(account)).statusCode).toBe(200);
  });

  test.each([
    ["no count", { count: undefined }, 503],
    ["a count in text", { count: "1" }, 503],
    ["no end", { expiresAt: undefined }, 503],
    ["no time, which the next attempt sets", { lastAt: undefined }, 200],
  ])("on a row with %s: never a free guess", async (_, damage, status) => {
    const before = await rowIds();
    const account = await service.register();
    await guessTimes(1, account.email);
    const { id } = (await findNewRow(before)) ?? {};
    await database.change("attempts", { id }, damage);
    expect((await logIn(account)).statusCode).toBe(status);
  });
});
