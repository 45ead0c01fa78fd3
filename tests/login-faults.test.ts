import { describe, expect, test } from "@jest/globals";
import { expectProblem, refusals } from "./support/answer.ts";
import { clock } from "./support/clock.ts";
import {
  deliverTwice,
  fail,
  hang,
  hold,
  loseAnswer,
  loseRequest,
  precededBy,
  throttle,
} from "./support/faults.ts";
import { expectSteps, startService } from "./support/service.ts";
import type { Fault } from "./support/wire.ts";

const service = await startService();
const { sandbox, database, wire, expectRequests } = service;
const key = "f4a7a2c0-8a40-4a2e-8b5f-5a1d0f6e7b04";
const remove = "DeleteItem sessions";
const put = "PutItem sessions";
const find = "GetItem users";
const lookUp = [find, "UpdateItem attempts"];
const forget = "DeleteItem attempts";
/** The end of all sessions that another process began is finished: here there are none. */
const sweep = ["Query sessions", "UpdateItem users"];

describe("a login's put", () => {
  const opened = [lookUp, put, find];

  /** Opens a session while a fault befalls the put; returns the pair and the puts in order. */
  async function logInWith(fault: Fault) {
    const account = await service.register();
    wire.forget();
    wire.break(put, fault);
    const pair = await service.logIn({ account, key });
    const puts = wire.requests.filter(({ name }) => name === put);
    return { account, pair, puts };
  }

  const sessionIdOf = (request: { parameters: { Item?: { sessionId: { S: string } } } }) =>
    request.parameters.Item?.sessionId.S;

  test.each([
    ["is lost", loseRequest, 1],
    ["is applied but its answer lost", loseAnswer, 2],
    ["is throttled", throttle, 1],
    ["fails", fail, 1],
    ["is never answered", hang, 1],
  ])("S10 that %s is sent once, and again as another session", async (_, fault, stored) => {
    const { account, pair, puts } = await logInWith(fault);
    expectSteps(wire.names, [lookUp, put, put, find]);
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
    const body = { email: account.email, password: account.password };
    wire.break(put, loseRequest, { times: 3 });
    await expectRequests([lookUp, put, put, put], async () => {
      expectProblem(await sandbox.login({ body }), refusals.unavailable);
    });
    expect(new Set(wire.requests.slice(-3).map(sessionIdOf)).size).toBe(3);
    await expectRequests([lookUp, forget, put, find], () => service.logIn({ account }));
  });

  test("that arrives twice opens one session", async () => {
    const { account, pair } = await logInWith(deliverTwice);
    expectSteps(wire.names, opened);
    expect(await database.sessionsOf(account.userId)).toHaveLength(1);
    await service.rotate(pair, { key });
  });

  test("that arrives again late does not roll back a rotation", async () => {
    const { pair, puts } = await logInWith((request) => request.deliver());
    const second = await service.rotate(pair, { key });
    const before = await service.findSession(pair);
    expect((await puts[0]?.deliver())?.status).toBe(400);
    expect(await service.findSession(pair)).toEqual(before);
    clock.advance(30);
    await service.rotate(second, { key });
  });

  test("that arrives late after the logout makes a session whose token nobody holds", async () => {
    const held = hold("request");
    const { account, pair, puts } = await logInWith(held.fault);
    expectSteps(wire.names, [lookUp, put, put, find]);
    await sandbox.logout({ cookies: pair.cookies });
    await held.release();
    expect(puts[0]?.isApplied).toBe(true);
    const [orphan, ...others] = await database.sessionsOf(account.userId);
    expect(others).toEqual([]);
    expect(orphan?.sessionId).toBe(sessionIdOf(puts[0] as never));
    expectProblem(await service.refresh(pair, { key }), refusals.tokenExpired);
    expect(await service.findSession(pair)).toBeUndefined();
  });
});

describe("a login beside the end of all sessions", () => {
  /** Ends all sessions of a user, as a password change does: first the epoch, then the sweep. */
  const endAll = (email: string, sessionEpoch: number) => () =>
    database.change("users", { email }, { sessionEpoch });

  test("that is overtaken takes its session back and starts again once", async () => {
    const account = await service.register();
    wire.forget();
    wire.break(find, (request) => request.deliver());
    wire.break(find, precededBy(endAll(account.email, 1)));
    const pair = await service.logIn({ account });
    expectSteps(wire.names, [lookUp, put, find, remove, lookUp, forget, ...sweep, put, find]);
    expect((await database.sessionsOf(account.userId)).map(({ sessionId }) => sessionId)).toEqual([
      pair.claims.sid,
    ]);
    await service.rotate(pair);
  });

  test("that is overtaken twice is a 503 and leaves no session", async () => {
    const account = await service.register();
    const { email, password, userId } = account;
    wire.forget();
    wire.break(find, (request) => request.deliver());
    wire.break(find, precededBy(endAll(email, 1)));
    wire.break(find, (request) => request.deliver());
    wire.break(find, precededBy(endAll(email, 2)));
    expectProblem(await sandbox.login({ body: { email, password } }), refusals.unavailable);
    expectSteps(wire.names, [lookUp, put, find, remove, lookUp, forget, ...sweep, put, find, remove]);
    expect(await database.sessionsOf(userId)).toEqual([]);
    await service.logIn({ account });
  });

  test("whose password was changed meanwhile is refused", async () => {
    const account = await service.register();
    const { email, password, userId } = account;
    const { passwordHash } =
      (await database.find("users", { email: (await service.register()).email })) ?? {};
    wire.break(find, (request) => request.deliver());
    wire.break(
      find,
      precededBy(() => database.change("users", { email }, { sessionEpoch: 1, passwordHash })),
    );
    expectProblem(await sandbox.login({ body: { email, password } }), refusals.loginFailed);
    expect(await database.sessionsOf(userId)).toEqual([]);
  });

  test("whose account was deleted meanwhile leaves no session", async () => {
    const account = await service.register();
    const { email, password, userId } = account;
    wire.break(find, (request) => request.deliver());
    wire.break(
      find,
      precededBy(() => database.delete("users", { email })),
    );
    expectProblem(await sandbox.login({ body: { email, password } }), refusals.loginFailed);
    expect(await database.sessionsOf(userId)).toEqual([]);
  });

  test("S09 that cannot read the epoch again is a 503 and leaves no session", async () => {
    const account = await service.register();
    const { email, password, userId } = account;
    wire.break(find, (request) => request.deliver());
    wire.break(find, fail, { times: 3 });
    expectProblem(await sandbox.login({ body: { email, password } }), refusals.unavailable);
    expect(await database.sessionsOf(userId)).toEqual([]);
    await service.logIn({ account });
  });
});
