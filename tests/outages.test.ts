import { expect, test } from "@jest/globals";
import { bodyOf, expectCookie, expectProblem, refusals } from "./support/answer.ts";
import { clock } from "./support/clock.ts";
import { createEvent } from "./support/event.ts";
import { fail, hang, hold, loseRequest, throttle } from "./support/faults.ts";
import { log } from "./support/log.ts";
import type { Pair } from "./support/pair.ts";
import { startServices } from "./support/service.ts";
import type { Fault } from "./support/wire.ts";

// The kind of engine makes no difference, except where a refused write has to be looked into.
const [service, embedded] = await startServices();
const key = "f4a7a2c0-8a40-4a2e-8b5f-5a1d0f6e7b04";
const update = "UpdateItem sessions";
const remove = "DeleteItem sessions";

/** Every way in which DynamoDB can be away for a whole request of ours. */
const outages: [how: string, fault: Fault][] = [
  ["throttles", throttle],
  ["fails", fail],
  ["breaks the connection", loseRequest],
  ["never answers", hang],
];

const { sandbox, wire } = service;

test.each(outages)(
  "S01 S02 when DynamoDB %s, every route answers 503 and nobody's session is harmed",
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
    // Three attempts each, and login sends two at once: within 5 s even when each has to be given up.
    expect(wire.names).toHaveLength(18);
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
])("S02 S05 S06 %s once is made good by the SDK's next attempt", async (_, fault) => {
  const [one, other] = [await service.logIn(), await service.logIn()];
  wire.forget();
  wire.break(update, fault);
  wire.break(remove, fault);
  const [, response] = await Promise.all([service.rotate(one), sandbox.logout({ cookies: other.cookies })]);
  expectCookie(response);
  expect(wire.names.toSorted()).toEqual([remove, remove, update, update]);
  expect(await service.findSession(other)).toBeUndefined();
});

test("E08 an outage that outlasts the function is a 503 before Lambda cuts it off, and the late write is the client's", async () => {
  const pair = await service.logIn({ key });
  const held = hold("request");
  wire.break(update, held.fault);
  const event = createEvent("refresh", { cookies: pair.cookies, headers: { "idempotency-key": key } });
  expectProblem(await sandbox.invoke("refresh", event, 1_100), refusals.unavailable);
  await held.release();
  const { rotatedAt } = (await service.findSession(pair)) ?? {};
  expect(rotatedAt).toBe(clock.now);
  clock.advance(3_600);
  const second = await service.rotate(pair, { key });
  clock.advance(30);
  await service.rotate(second, { key });
});

test("an outage is logged under the request id that the client was told, with nothing of the request but whose session it is", async () => {
  const pair = await service.logIn();
  wire.break(update, fail, { times: 3 });
  const { instance } = bodyOf(await service.refresh(pair));
  const failure = { name: expect.any(String), message: expect.any(String), stack: expect.any(Array) };
  expect(log.entries().filter(({ level }) => level === "ERROR")).toEqual([
    {
      ...{
        level: "ERROR",
        event: "failure",
        requestId: instance,
        stage: "test",
        route: "POST /auth/refresh",
      },
      ...{ status: 503, code: "unavailable", time: expect.any(String), durationMs: expect.any(Number) },
      ...{ userId: pair.claims.sub, sessionHash: expect.stringMatching(/^[\w-]{43}$/) },
      ...{ Refusal: 1, _aws: expect.any(Object) },
      errors: [
        { ...failure, name: "AppError", message: "unavailable" },
        { ...failure, name: "InternalServerError" },
      ],
    },
  ]);
});

test("H20 S19 a table that does not exist is a 503 which names no table", async () => {
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

test.each(outages.slice(1, 3))(
  "S08 where the engine does not return the item and the read for it %s: 503, nothing ends",
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

test("E08 a refresh that ran out of time sends nothing more, however late its sandbox goes on", async () => {
  const first = await service.logIn({ key });
  const headers = { "idempotency-key": key };
  wire.forget();
  wire.break(update, hang, { times: 1 });
  // 600 ms until the early answer, while the first attempt hangs; the SDK would try again after 800 ms.
  const answer = await sandbox.invoke(
    "refresh",
    createEvent("refresh", { cookies: first.cookies, headers }),
    1_100,
  );
  expectProblem(answer, refusals.unavailable);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(wire.names).toEqual([update]);
  const second = await service.rotate(first, { key });
  clock.advance(60);
  expectCookie(await service.refresh(second, { key }));
});
