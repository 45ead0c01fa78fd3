import { describe, expect, test } from "@jest/globals";
import { expectProblem, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { createEvent } from "../support/event.ts";
import { deliverTwice, deny, hold, loseAnswer, loseRequest } from "../support/faults.ts";
import { invokeFresh } from "../support/fresh-process.ts";
import { log } from "../support/log.ts";
import type { Pair } from "../support/pair.ts";
import { createRotations, key, update } from "../support/rotations.ts";
import { startService } from "../support/service.ts";

const service = await startService();
const { sandbox, wire, expectRequests } = service;
const { rotated, expectGoesOn } = createRotations(service);
const noWindow = service.createSandbox({ REFRESH_WINDOW_SECONDS: "0" });

/** Refreshes while no write gets through; returns the writes, which may still arrive. */
async function refreshInVain(pair: Pair) {
  wire.forget();
  wire.break(update, loseRequest, { times: 3 });
  expectProblem(await service.refresh(pair, { key }), refusals.unavailable);
  return wire.requests.filter(({ name }) => name === update);
}

/** Asserts that requests which arrive now are refused, and change nothing in a session. */
async function expectTooLate(copies: typeof wire.requests, pair: Pair): Promise<void> {
  expect(copies.length).toBeGreaterThan(0);
  const before = await service.findSession(pair);
  for (const copy of copies) expect((await copy.deliver()).status).toBe(400);
  expect(await service.findSession(pair)).toEqual(before);
}

test("a rotation that is delivered twice is one rotation", async () => {
  const first = await service.logIn();
  wire.break(update, deliverTwice);
  const second = await expectRequests([update], () => service.rotate(first));
  expect((await service.findSession(first))?.rotatedAt).toBe(clock.now);
  await expectGoesOn(second);
});

test.each([
  ["refresh", update, 200],
  ["logout", "DeleteItem sessions", 200],
  ["revokeSession", "DeleteItem sessions", 204],
] as const)("S25 %s, whose write meets a transaction over its session, writes again", async (...row) => {
  const [route, write, status] = row;
  const { cookies, key } = await service.logIn();
  const call = () => sandbox[route]({ cookies, pathParameters: { sessionId: key.sessionId } });
  const conflict = deny("TransactionConflictException");
  wire.break(write, conflict, { times: 4 });
  expectProblem(await call(), refusals.unavailable);
  wire.break(write, conflict, { times: 3 });
  expect((await call()).statusCode).toBe(status);
});

describe("a rotation whose answer is lost", () => {
  test.each([
    ["in a session without keys", undefined, sandbox, 1],
    ["in a keyed session", key, sandbox, 1],
    ["without a window", undefined, noWindow, 1],
    ["twice, without a window", undefined, noWindow, 2],
  ])("R43 S03 is known as our own when the SDK tries again: %s", async (_, key, as, times) => {
    const first = await service.logIn({ key });
    wire.break(update, loseAnswer, { times });
    const steps = Array(times + 1).fill(update);
    const second = await expectRequests(steps, () => service.rotate(first, { key, as }));
    expect(log.events()).toEqual([]);
    expect(await service.findSession(first)).toMatchObject({ rotatedAt: clock.now });
    // It is the successor that the table holds: it can be used, and goes on.
    await expectGoesOn(second, { key, as });
  });

  test.each([
    ["R12 S04 every time is a 503 without a cookie; with its key the client gets the successor", key, 0],
    ["R12 S04 every time is a 503 without a cookie; with its key the client gets the successor", key, 3_600],
    ["R11 every time is answered inside the window when the client has no key", undefined, 9],
  ])("%s, %s, %i s later", async (_, key, seconds) => {
    const first = await service.logIn({ key });
    wire.break(update, loseAnswer, { times: 3 });
    await expectRequests([update, update, update], async () =>
      expectProblem(await service.refresh(first, { key }), refusals.unavailable),
    );
    const stored = await service.findSession(first);
    expect(stored?.rotatedAt).toBe(clock.now);
    clock.advance(seconds);
    const second = await service.rotate(first, { key });
    expect((await service.findSession(first))?.tokenHash).toBe(stored?.tokenHash);
    await expectGoesOn(second, { key });
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

  test("E07 because its process was killed has rotated for the client's retry", async () => {
    const first = await service.logIn({ key });
    const killing = new AbortController();
    wire.break(update, async (request) => {
      await request.deliver();
      killing.abort();
      return undefined;
    });
    const env = {
      ...service.environment,
      ...{ AWS_REGION: "eu-central-1", AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" },
      ...{ NODE_OPTIONS: "--import ./tests/support/held-clock.mjs", HELD_TIME: String(clock.now) },
    };
    const event = createEvent("refresh", { cookies: first.cookies, headers: { "idempotency-key": key } });
    const bundle = ".local/test/bundles/functions/session/refresh.mjs";
    await expect(invokeFresh(bundle, env, event, { signal: killing.signal })).rejects.toThrow("killed");
    const stored = await service.findSession(first);
    expect(stored).toMatchObject({ rotatedAt: clock.now });
    clock.advance(60);
    const second = await service.rotate(first, { key });
    expect(await service.findSession(first)).toMatchObject({ tokenHash: stored?.tokenHash });
    await expectGoesOn(second, { key });
  });
});

describe("a rotation that is delivered", () => {
  test("again late, after the next rotation, changes nothing", async () => {
    const { second } = await rotated({ login: key, refresh: key });
    const copies = wire.requests.filter(({ name }) => name === update);
    clock.advance(30);
    const third = await service.rotate(second, { key });
    await expectTooLate(copies, third);
    await expectGoesOn(third, { key });
  });

  test("again late, after the logout, revives nothing", async () => {
    const { first, second } = await rotated({ login: key, refresh: key });
    clock.advance(3_600);
    const armed = await service.rotate(first, { key });
    const copies = wire.requests.filter(({ name }) => name === update);
    await sandbox.logout({ cookies: armed.cookies });
    await expectTooLate(copies, first);
    await service.expectOver([first, second, armed], { key });
  });

  test("S06 S23 late, after the client's timeout and its successful retry, rotates once", async () => {
    const pairs = [await service.logIn(), await service.logIn()];
    const holds = [hold("request"), hold("answer")];
    for (const { fault } of holds) wire.break(update, fault);
    const as = service.createSandbox({ REFRESH_WINDOW_SECONDS: "0", DYNAMODB_TIMEOUT_MS: "2000" });
    const seconds = await Promise.all(pairs.map((first) => service.rotate(first, { as })));
    const before = await Promise.all(pairs.map(service.findSession));
    for (const { release } of holds) await release();
    expect(await Promise.all(pairs.map(service.findSession))).toEqual(before);
    clock.advance(30);
    for (const second of seconds) await service.rotate(second);
  });
});

test.each([
  ["rotation", 0],
  ["re-arming", 1],
])("a %s that is delivered only after the client's retry changes nothing", async (_, looks) => {
  const { first } = looks
    ? await rotated({ login: key, refresh: key })
    : { first: await service.logIn({ key }) };
  clock.advance(3_600);
  // A re-arming comes after a refused rotation.
  if (looks) wire.break(update, (request) => request.deliver());
  const copies = (await refreshInVain(first)).slice(looks);
  expect(copies).toHaveLength(3);
  const second = await service.rotate(first, { key });
  await expectTooLate(copies, first);
  await expectGoesOn(second, { key });
});
