import { describe, expect, test } from "@jest/globals";
import { expectProblem, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import {
  deliverTwice,
  fail,
  hang,
  hold,
  loseAnswer,
  loseRequest,
  precededBy,
  throttle,
} from "../support/faults.ts";
import { key, remove } from "../support/rotations.ts";
import { expectSteps, lookUp, startService } from "../support/service.ts";
import type { Fault } from "../support/wire.ts";

const service = await startService();
const { sandbox, database, wire, expectRequests } = service;
const put = "PutItem sessions";
const find = "GetItem users";
const forget = "DeleteItem attempts";
/** The end of all sessions that another process began is finished: here there are none. */
const sweep = ["Query sessions", "UpdateItem users"];
const other = await service.register();
/** The hash of somebody else's password. */
const { passwordHash } = (await database.find("users", { userId: other.userId })) ?? {};

describe("a login's put", () => {
  /** Opens a session while a fault befalls the put; returns the pair and the puts in order. */
  async function logInWith(fault: Fault) {
    const account = await service.register();
    wire.forget();
    wire.break(put, fault);
    const pair = await service.logIn({ account, key, as: service.impatient });
    const puts = wire.requests.filter(({ name }) => name === put);
    return { account, pair, puts };
  }

  const sessionIdOf = (request: { parameters: { Item?: { sessionId: { S: string } } } }) =>
    request.parameters.Item?.sessionId.S;

  test("that arrives twice opens one session, and late again does not roll back a rotation", async () => {
    const { account, pair, puts } = await logInWith(deliverTwice);
    expectSteps(wire.names, [...lookUp, put, find]);
    expect(await database.sessionsOf(account.userId)).toHaveLength(1);
    const second = await service.rotate(pair, { key });
    const before = await service.findSession(pair);
    expect((await puts[0]?.deliver())?.status).toBe(400);
    expect(await service.findSession(pair)).toEqual(before);
    clock.advance(30);
    await service.rotate(second, { key });
  });

  test.each([
    ["is lost", loseRequest, 1],
    ["is applied but its answer lost", loseAnswer, 2],
    ["is throttled", throttle, 1],
    ["is never answered", hang, 1],
  ])("S10 that %s is sent once, and again as another session", async (_, fault, stored) => {
    const { account, pair, puts } = await logInWith(fault);
    expectSteps(wire.names, [...lookUp, put, put, find]);
    expect(puts.map(({ attempt }) => attempt)).toEqual([1, 1]);
    const [lost, kept] = puts.map(sessionIdOf);
    expect(lost).not.toBe(kept);
    expect(pair.claims.sid).toBe(kept);
    const [a, b] = puts.map(({ parameters }) => parameters.Item.tokenHash.S);
    expect(a).not.toBe(b);
    expect(await database.sessionsOf(account.userId)).toHaveLength(stored);
    await service.rotate(pair, { key });
  });

  test("that is never acknowledged is a 503 without a cookie after three sessions", async () => {
    const account = await service.register();
    const { email, password } = account;
    wire.break(put, loseRequest, { times: 3 });
    await expectRequests([...lookUp, put, put, put], async () => {
      expectProblem(await sandbox.login({ body: { email, password } }), refusals.unavailable);
    });
    expect(new Set(wire.requests.slice(-3).map(sessionIdOf)).size).toBe(3);
    await expectRequests([...lookUp, forget, put, find], () => service.logIn({ account }));
  });

  test("that arrives late after the logout makes a session whose token nobody holds", async () => {
    const held = hold("request");
    const { account, pair, puts } = await logInWith(held.fault);
    expectSteps(wire.names, [...lookUp, put, put, find]);
    await sandbox.logout({ cookies: pair.cookies });
    await held.release();
    expect(puts[0]?.isApplied).toBe(true);
    const left = await database.sessionsOf(account.userId);
    expect(left.map(({ sessionId }) => sessionId)).toEqual([sessionIdOf(puts[0] as never)]);
    await service.expectOver([pair], { key });
  });
});

describe("a login beside the end of all sessions", () => {
  /** Registers an account whose login meets another's act before it reads the user again; once, or as often as told. */
  async function registerBeside(act: (userId: string, time: number) => Promise<unknown>, times = 1) {
    const account = await service.register();
    const { email, password, userId } = account;
    wire.forget();
    for (let time = 1; time <= times; time++) {
      wire.break(find, (request) => request.deliver());
      wire.break(
        find,
        precededBy(() => act(userId, time)),
      );
    }
    const expectRefused = async (refusal: (typeof refusals)["loginFailed" | "unavailable"]) => {
      expectProblem(await sandbox.login({ body: { email, password } }), refusal);
      expect(await database.sessionsOf(userId)).toEqual([]);
    };
    return { account, expectRefused };
  }
  /** Ends all sessions of a user, as a password change does: first the epoch, then the sweep. */
  const endAll = (userId: string, sessionEpoch: number) =>
    database.change("users", { userId }, { sessionEpoch });
  // The entry of the address is read once.
  const [, ...tryAgain] = lookUp;
  const overtaken = [...lookUp, put, find, remove, ...tryAgain, forget, put, ...sweep, find];

  test("that is overtaken takes its session back and starts again once", async () => {
    const { account } = await registerBeside(endAll);
    const pair = await service.logIn({ account });
    expectSteps(wire.names, overtaken);
    const left = await database.sessionsOf(account.userId);
    expect(left.map(({ sessionId }) => sessionId)).toEqual([pair.claims.sid]);
    await service.rotate(pair);
  });

  test("that is overtaken twice is a 503 and leaves no session", async () => {
    const { account, expectRefused } = await registerBeside(endAll, 2);
    await expectRefused(refusals.unavailable);
    expectSteps(wire.names, [...overtaken, remove]);
    await service.logIn({ account });
  });

  test.each<[what: string, act: (userId: string) => Promise<unknown>]>([
    [
      "password was changed",
      (userId) => database.change("users", { userId }, { sessionEpoch: 1, passwordHash }),
    ],
    ["account was disabled", (userId) => database.change("users", { userId }, { disabledAt: 1 })],
    ["deletion was begun", (userId) => database.change("users", { userId }, { deletingAt: clock.now })],
    ["account was deleted", (userId) => database.delete("users", { userId })],
  ])("whose %s meanwhile is refused and leaves no session", async (_, act) => {
    const { expectRefused } = await registerBeside(act);
    await expectRefused(refusals.loginFailed);
  });

  test("S09 that cannot read the epoch again is a 503 and leaves no session", async () => {
    const { account, expectRefused } = await registerBeside(async () => {}, 0);
    wire.break(find, (request) => request.deliver());
    wire.break(find, fail, { times: 3 });
    await expectRefused(refusals.unavailable);
    await service.logIn({ account });
  });
});
