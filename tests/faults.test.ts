import { describe, expect, test } from "@jest/globals";
import { bodyOf, expectCookie, expectProblem, refusals } from "./support/answer.ts";
import { clock } from "./support/clock.ts";
import { createEvent } from "./support/event.ts";
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
import { log } from "./support/log.ts";
import type { Pair } from "./support/pair.ts";
import { startServices } from "./support/service.ts";
import type { Fault } from "./support/wire.ts";

const services = await startServices();
const key = "f4a7a2c0-8a40-4a2e-8b5f-5a1d0f6e7b04";
const update = "UpdateItem sessions";
const remove = "DeleteItem sessions";
const put = "PutItem sessions";
const find = "GetItem users";

/** Every way in which DynamoDB can be away for a whole request of ours. */
const outages: [how: string, fault: Fault][] = [
  ["throttles", throttle],
  ["fails", fail],
  ["breaks the connection", loseRequest],
  ["never answers", hang],
];

describe.each(services)("faults of the table on $engine", (service) => {
  const { sandbox, wire, expectRequests } = service;
  const look = service.engine === "embedded" ? ["GetItem sessions"] : [];
  const noWindow = service.createSandbox({ REFRESH_WINDOW_SECONDS: "0" });

  describe("a rotation whose answer is lost", () => {
    test.each([
      ["in a session without keys", undefined, sandbox],
      ["in a keyed session", key, sandbox],
      ["without a window", undefined, noWindow],
    ])("is known as our own when the SDK tries again: %s", async (_, key, as) => {
      const first = await service.logIn({ key });
      wire.break(update, loseAnswer);
      const second = await expectRequests([update, update, ...look], () =>
        service.rotate(first, { key, as }),
      );
      expect(wire.appliedWrites).toContain(update);
      expect(log.events()).toEqual([]);
      const stored = await service.findSession(first);
      expect(stored).toMatchObject({ rotatedAt: clock.now });
      // It is the successor that the table holds: it can be used, and goes on.
      clock.advance(30);
      await service.rotate(second, { key, as });
    });

    test("twice is known as our own by the third attempt", async () => {
      const first = await service.logIn();
      wire.break(update, loseAnswer, { times: 2 });
      const second = await expectRequests([update, update, update, ...look], () =>
        service.rotate(first, { as: noWindow }),
      );
      clock.advance(30);
      await service.rotate(second);
    });

    test("every time is a 503 without a cookie; the client's retry gets the successor, with its key any time", async () => {
      for (const seconds of [0, 11, 3_600]) {
        const first = await service.logIn({ key });
        wire.break(update, loseAnswer, { times: 3 });
        await expectRequests([update, update, update], async () => {
          expectProblem(await service.refresh(first, { key }), refusals.unavailable);
        });
        const stored = await service.findSession(first);
        expect(stored?.rotatedAt).toBe(clock.now);
        clock.advance(seconds);
        const second = await service.rotate(first, { key });
        expect((await service.findSession(first))?.tokenHash).toBe(stored?.tokenHash);
        clock.advance(30);
        await service.rotate(second, { key });
      }
    });

    test("every time is answered inside the window when the client has no key", async () => {
      const first = await service.logIn();
      wire.break(update, loseAnswer, { times: 3 });
      expectProblem(await service.refresh(first), refusals.unavailable);
      clock.advance(9);
      const second = await service.rotate(first);
      expect(log.events()).toEqual(["authn_token_repeat_unproven"]);
      clock.advance(21);
      await service.rotate(second);
    });

    test("is our own however the session was moved in between by a repeat", async () => {
      const first = await service.logIn({ key });
      let other: Pair | undefined;
      wire.break(update, async (request) => {
        await request.deliver();
        other = await service.rotate(first, { key });
        return undefined;
      });
      const second = await service.rotate(first, { key });
      expect(other?.cookies).toEqual(second.cookies);
    });
  });

  describe("a rotation that is delivered", () => {
    test("twice is one rotation", async () => {
      const first = await service.logIn();
      wire.break(update, deliverTwice);
      const second = await service.rotate(first);
      expect((await service.findSession(first))?.rotatedAt).toBe(clock.now);
      clock.advance(30);
      await service.rotate(second);
    });

    test("again late, after the next rotation, changes nothing", async () => {
      const first = await service.logIn({ key });
      const second = await service.rotate(first, { key });
      const [late] = wire.requests.filter(({ name }) => name === update);
      clock.advance(30);
      const third = await service.rotate(second, { key });
      const before = await service.findSession(first);
      expect((await late?.deliver())?.status).toBe(400);
      expect(await service.findSession(first)).toEqual(before);
      clock.advance(30);
      await service.rotate(third, { key });
    });

    test("again late, after the logout, revives nothing", async () => {
      const first = await service.logIn({ key });
      const second = await service.rotate(first, { key });
      clock.advance(3_600);
      const armed = await service.rotate(first, { key });
      const copies = wire.requests.filter(({ name }) => name === update);
      await sandbox.logout({ cookies: armed.cookies });
      for (const copy of copies) expect((await copy.deliver()).status).toBe(400);
      expect(await service.findSession(first)).toBeUndefined();
      for (const pair of [first, second, armed]) {
        expectProblem(await service.refresh(pair, { key }), refusals.tokenExpired);
      }
    });

    test("late, after the client's timeout and its successful retry, rotates once", async () => {
      for (const what of ["request", "answer"] as const) {
        const first = await service.logIn();
        const held = hold(what);
        wire.break(update, held.fault);
        const second = await service.rotate(first, { as: noWindow });
        const before = await service.findSession(first);
        await held.release();
        expect(await service.findSession(first)).toEqual(before);
        clock.advance(30);
        await service.rotate(second);
      }
    });

    test("only after the function gave up is there for the client's retry", async () => {
      const first = await service.logIn({ key });
      const copies = await refreshInVain(first);
      expect((await service.findSession(first))?.rotatedAt).toBeUndefined();
      for (const copy of copies) await copy.deliver();
      expect((await service.findSession(first))?.rotatedAt).toBe(clock.now);
      clock.advance(3_600);
      const second = await service.rotate(first, { key });
      clock.advance(30);
      await service.rotate(second, { key });
    });

    test("only after the client's retry changes nothing", async () => {
      const first = await service.logIn({ key });
      const copies = await refreshInVain(first);
      const second = await service.rotate(first, { key });
      const before = await service.findSession(first);
      for (const copy of copies) expect((await copy.deliver()).status).toBe(400);
      expect(await service.findSession(first)).toEqual(before);
      clock.advance(30);
      await service.rotate(second, { key });
    });
  });

  test("a re-arming that is delivered only after the client's retry changes nothing", async () => {
    const first = await service.logIn({ key });
    await service.rotate(first, { key });
    clock.advance(3_600);
    wire.break(update, (request) => request.deliver());
    const copies = (await refreshInVain(first)).slice(1);
    expect(copies).toHaveLength(3);
    const second = await service.rotate(first, { key });
    const before = await service.findSession(first);
    for (const copy of copies) expect((await copy.deliver()).status).toBe(400);
    expect(await service.findSession(first)).toEqual(before);
    clock.advance(30);
    await service.rotate(second, { key });
  });

  /** Refreshes while no write gets through; returns the writes, which may still arrive. */
  async function refreshInVain(pair: Pair) {
    wire.forget();
    wire.break(update, loseRequest, { times: 3 });
    expectProblem(await service.refresh(pair, { key }), refusals.unavailable);
    return wire.requests.filter(({ name }) => name === update);
  }
});

describe("an outage", () => {
  // The kind of engine makes no difference here.
  const [service] = services;
  const { sandbox, database, wire, expectRequests } = service;

  test.each(outages)(
    "when DynamoDB %s, every route answers 503 and nobody's session is harmed",
    async (_, fault) => {
      const pairs = await Promise.all([service.logIn(), service.logIn(), service.logIn({ key })]);
      const [one, two, keyed] = pairs as [Pair, Pair, Pair];
      const account = await service.register();
      const { email, password } = account;
      const before = await Promise.all(pairs.map(service.findSession));
      wire.forget();
      wire.break("", fault, { times: 99 });
      const answers = await Promise.all([
        service.refresh(one),
        sandbox.logout({ cookies: two.cookies }),
        service.refresh(keyed, { key }),
        sandbox.login({ body: { email, password } }),
        sandbox.register({ body: { email: "newcomer@example.com", password } }),
      ]);
      for (const answer of answers) expectProblem(answer, refusals.unavailable);
      // Three attempts each: within 5 s even when each of them has to be given up.
      expect(wire.names).toHaveLength(15);
      expect(wire.appliedWrites).toEqual([]);
      wire.mend();
      expect(await Promise.all(pairs.map(service.findSession))).toEqual(before);
      for (const pair of pairs) await service.rotate(pair, { key: pair === keyed ? key : undefined });
      await service.logIn({ account });
      expect((await sandbox.movies({ cookies: one.cookies })).statusCode).toBe(200);
    },
  );

  test("when no connection is taken, every route answers 503; later all goes on", async () => {
    const pair = await service.logIn();
    const { email, password } = await service.register();
    await wire.close();
    const answers = await Promise.all([
      service.refresh(pair),
      sandbox.logout({ cookies: pair.cookies }),
      sandbox.login({ body: { email, password } }),
    ]);
    for (const answer of answers) expectProblem(answer, refusals.unavailable);
    await wire.reopen();
    await service.rotate(pair);
  });

  test.each([
    ["a 500", fail],
    ["a broken connection", loseRequest],
    ["throttling", throttle],
    ["an answer that never comes", hang],
  ])("%s once is made good by the SDK's next attempt", async (_, fault) => {
    const [one, other] = [await service.logIn(), await service.logIn()];
    wire.forget();
    wire.break(update, fault);
    wire.break(remove, fault);
    const [, response] = await Promise.all([service.rotate(one), sandbox.logout({ cookies: other.cookies })]);
    expectCookie(response);
    expect(wire.names.toSorted()).toEqual([remove, remove, update, update]);
    expect(await service.findSession(other)).toBeUndefined();
  });

  test("that outlasts the function is a 503 before Lambda cuts it off, and the late write is the client's", async () => {
    const pair = await service.logIn({ key });
    const held = hold("request");
    wire.break(update, held.fault);
    const event = createEvent("refresh", { cookies: pair.cookies, headers: { "idempotency-key": key } });
    expectProblem(await sandbox.invoke("refresh", event, 700), refusals.unavailable);
    await held.release();
    const { rotatedAt } = (await service.findSession(pair)) ?? {};
    expect(rotatedAt).toBe(clock.now);
    clock.advance(3_600);
    const second = await service.rotate(pair, { key });
    clock.advance(30);
    await service.rotate(second, { key });
  });

  test("is logged under the request id that the client was told, with nothing of the request", async () => {
    const pair = await service.logIn();
    wire.break(update, fail, { times: 3 });
    const { instance } = bodyOf(await service.refresh(pair));
    const failure = { name: expect.any(String), message: expect.any(String), stack: expect.any(Array) };
    expect(log.entries()).toEqual([
      {
        level: "ERROR",
        event: "failure",
        requestId: instance,
        errors: [
          { ...failure, name: "AppError", message: "unavailable" },
          { ...failure, name: "InternalServerError" },
        ],
      },
    ]);
  });

  test("a table that does not exist is a 503 which names no table", async () => {
    const elsewhere = service.createSandbox({
      SESSIONS_TABLE: "nowhere-at-all",
      USERS_TABLE: "nobody-at-all",
    });
    const pair = await service.logIn();
    const { email, password } = await service.register();
    for (const call of [
      () => service.refresh(pair, { as: elsewhere }),
      () => elsewhere.logout({ cookies: pair.cookies }),
      () => elsewhere.login({ body: { email, password } }),
      () => elsewhere.register({ body: { email, password } }),
    ]) {
      expectProblem(await call(), refusals.unavailable);
    }
  });

  describe("a login's put", () => {
    const opened = [find, put, find];

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
    ])("that %s is sent once, and again as another session", async (_, fault, stored) => {
      const { account, pair, puts } = await logInWith(fault);
      expect(wire.names).toEqual([find, put, put, find]);
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
      await expectRequests([find, put, put, put], async () => {
        expectProblem(await sandbox.login({ body }), refusals.unavailable);
      });
      expect(new Set(wire.requests.slice(-3).map(sessionIdOf)).size).toBe(3);
      await expectRequests(opened, () => service.logIn({ account }));
    });

    test("that arrives twice opens one session", async () => {
      const { account, pair } = await logInWith(deliverTwice);
      expect(wire.names).toEqual(opened);
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
      expect(wire.names).toEqual([find, put, put, find]);
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
      expect(wire.names).toEqual([find, put, find, remove, find, put, find]);
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
      expect(wire.names).toEqual([find, put, find, remove, find, put, find, remove]);
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

    test("that cannot read the epoch again is a 503 and leaves no session", async () => {
      const account = await service.register();
      const { email, password, userId } = account;
      wire.break(find, (request) => request.deliver());
      wire.break(find, fail, { times: 3 });
      expectProblem(await sandbox.login({ body: { email, password } }), refusals.unavailable);
      expect(await database.sessionsOf(userId)).toEqual([]);
      await service.logIn({ account });
    });
  });

  test.each(["userId", "sessionId"])(
    "the key attribute %s is DynamoDB's own and cannot be missing",
    async (name) => {
      const pair = await service.logIn();
      await expect(database.change("sessions", pair.key, { [name]: undefined })).rejects.toThrow(/key/);
    },
  );

  test.each([
    ["no e-mail", { email: undefined }],
    ["an e-mail that is a number", { email: 1 }],
    ["no hash", { tokenHash: undefined }],
    ["a hash that is a number", { tokenHash: 1 }],
    ["no creation time", { createdAt: undefined }],
    ["a creation time in text", { createdAt: "1800000000" }],
    ["an end in text", { expiresAt: "9999999999" }],
    ["no end", { expiresAt: undefined }],
    ["a previous hash that is null", { previousTokenHash: null }],
    ["a salt that is a list", { rotationSalt: ["x"] }],
    ["a time of rotation in text", { rotatedAt: "1800000000" }],
    ["a key's hash that is a map", { rotationKeyHash: { S: "x" } }],
    ["a mark that is no boolean", { keyed: "false" }],
  ])("a stored session with %s is our trouble, not the client's: 503", async (_, damage) => {
    const pair = await service.logIn();
    const second = await service.rotate(pair);
    const repaired = await service.findSession(pair);
    await database.change("sessions", pair.key, damage);
    for (const presented of [pair, second]) {
      expectProblem(await service.refresh(presented), refusals.unavailable);
    }
    expect(await service.findSession(pair)).toBeDefined();
    await database.put("sessions", repaired ?? {});
    expectCookie(await service.refresh(second));
  });

  test("a stored session with attributes of tomorrow is used as it is", async () => {
    const pair = await service.logIn();
    await database.change("sessions", pair.key, { device: "phone", flags: ["x"] });
    await service.rotate(pair);
    expect(await service.findSession(pair)).toMatchObject({ device: "phone", flags: ["x"] });
  });
});

const [, embedded] = services;

test.each(outages.slice(0, 2))(
  "where the engine does not return the item and the read for it %s: 503, nothing ends",
  async (_, fault) => {
    const { wire } = embedded;
    const first = await embedded.logIn();
    const second = await embedded.rotate(first);
    clock.advance(10);
    wire.forget();
    wire.break("GetItem sessions", fault, { times: 3 });
    const expected = [update, "GetItem sessions", "GetItem sessions", "GetItem sessions"];
    const refused = await embedded.expectRequests(expected, () => embedded.refresh(first));
    expectProblem(refused, refusals.unavailable);
    expect(await embedded.findSession(first)).toBeDefined();
    clock.advance(20);
    await embedded.rotate(second);
  },
);
