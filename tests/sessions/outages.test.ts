import { setTimeout } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { bodyOf, expectCookie, expectProblem, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { type ClientRequest, createEvent, type RouteName } from "../support/event.ts";
import { deny, fail, hang, hold, loseAnswer, loseRequest, throttle } from "../support/faults.ts";
import { log } from "../support/log.ts";
import { type Pair, pairOf } from "../support/pair.ts";
import { createRotations, key, remove, update } from "../support/rotations.ts";
import { type Account, keyHeaders, startService } from "../support/service.ts";

const service = await startService();
const { sandbox, wire, impatient } = service;
const { expectGoesOn } = createRotations(service);
const noTables = service.createSandbox({ SESSIONS_TABLE: "nowhere-at-all", USERS_TABLE: "nobody-at-all" });

// Each function has loaded its code: while that takes its time, no request runs into a time-out.
const needing = [
  "deleteAccount",
  "changePassword",
  "refresh",
  "logout",
  "listSessions",
  "revokeSession",
  "revokeAllSessions",
  "exportAccount",
] as const;
for (const as of [sandbox, impatient]) {
  for (const route of [...needing, "login", "register"] as const) await as[route]({ body: "{}" });
}

/** Every way in which DynamoDB can be away for a whole request of ours. */
const outages = [
  { how: "S01 throttles", fault: throttle, attempts: 3 },
  { how: "S02 fails", fault: fail, attempts: 3 },
  { how: "S02 breaks the connection", fault: loseRequest, attempts: 3 },
  { how: "S06 never answers", fault: hang, attempts: 3, as: impatient },
  { how: "S19 refuses access", fault: deny("AccessDeniedException"), attempts: 1 },
  { how: "S19 does not know our credentials", fault: deny("UnrecognizedClientException"), attempts: 1 },
  { how: "H20 S19 has no such tables", as: noTables },
  { how: "takes no connection" },
];

test.each(outages)(
  "when DynamoDB $how, routes are a 503 that says no more, and nobody's session is harmed",
  async ({ fault, attempts, as = sandbox }) => {
    const account = await service.register();
    const { email, password } = account;
    const pairs = [await service.logIn(), await service.logIn(), await service.logIn({ key })] as const;
    const [one, two, keyed] = pairs;
    const before = await Promise.all(pairs.map(service.findSession));
    log.clear();
    wire.forget();
    if (fault) wire.break("", fault, { times: 99 });
    else if (as === sandbox) await wire.stop();
    const answers = await Promise.all([
      service.refresh(one, { as }),
      as.logout({ cookies: two.cookies }),
      service.refresh(keyed, { key, as }),
      as.listSessions({ cookies: one.cookies }),
      as.revokeSession({ cookies: one.cookies, pathParameters: { sessionId: two.key.sessionId } }),
      as.revokeAllSessions({ cookies: two.cookies }),
      as.exportAccount({ cookies: two.cookies }),
      as.login({ body: { email, password } }),
      as.register({ body: { email: "newcomer@example.com", password } }),
    ]);
    for (const answer of answers) {
      expectProblem(answer, refusals.unavailable);
      expect(answer.body).not.toMatch(/exception|nowhere/i);
    }
    const failures = log.entries().filter(({ level, event }) => level === "ERROR" && event === "failure");
    expect(failures).toHaveLength(answers.length);
    // The SDK tries again three times in all, or not at all.
    if (attempts) {
      expect(Math.max(...wire.requests.map(({ attempt }) => attempt))).toBe(attempts);
      expect(wire.appliedWrites).toEqual([]);
    }
    wire.mend();
    if (!fault && as === sandbox) await wire.reopen();
    expect(await Promise.all(pairs.map(service.findSession))).toEqual(before);
    for (const pair of pairs) await service.rotate(pair, { key: pair === keyed ? key : undefined });
    await service.logIn({ account });
    expect((await sandbox.movies({ cookies: one.cookies })).statusCode).toBe(200);
  },
);

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
  const as = fault === hang ? impatient : sandbox;
  const [, response] = await Promise.all([
    service.rotate(one, { as }),
    as.logout({ cookies: other.cookies }),
  ]);
  expectCookie(response);
  expect(wire.names.toSorted()).toEqual([remove, remove, update, update]);
  expect(await service.findSession(other)).toBeUndefined();
});

/** Calls a route while a request of it is held, for longer than the function may take: it stops 500 ms before its end. */
async function callTooLong(route: RouteName, step: string, call: ClientRequest) {
  const held = hold("request");
  const abandoned = Promise.withResolvers<unknown>();
  wire.break(step, (request) => {
    request.abandoned().then(abandoned.resolve);
    return held.fault(request);
  });
  const answer = sandbox.invoke(route, createEvent(route, call), 3_500);
  await held.arrived;
  expectProblem(await answer, refusals.unavailable);
  return { held, abandoned: abandoned.promise };
}

test("E08 an outage that outlasts the function is a 503 before Lambda cuts it off; nothing more is sent, and the late write is the client's", async () => {
  const pair = await service.logIn({ key });
  const call = { cookies: pair.cookies, headers: keyHeaders({ key }) };
  const { held, abandoned } = await callTooLong("refresh", update, call);
  // The attempt is given up with the function, and not when its own time of ten seconds is over, to be sent again.
  const late = setTimeout(5_000, "late", { ref: false });
  expect(await Promise.race([abandoned.then(() => "at once"), late])).toBe("at once");
  expect(wire.requests.flatMap(({ name, attempt }) => (name === update ? [attempt] : []))).toEqual([1]);
  await held.release();
  expect((await service.findSession(pair))?.rotatedAt).toBe(clock.now);
  clock.advance(3_600);
  await expectGoesOn(await service.rotate(pair, { key }), { key });
});

test.each<[RouteName, string, (account: Account) => ClientRequest]>([
  ["login", "UpdateItem attempts", ({ email, password }) => ({ body: { email, password } })],
  ["deleteAccount", "UpdateItem attempts", ({ password }) => ({ body: { password } })],
  [
    "changePassword",
    "Query sessions",
    ({ password: currentPassword }) => {
      return { body: { currentPassword, newPassword: `another ${currentPassword}` } };
    },
  ],
  ["revokeAllSessions", "BatchWriteItem", () => ({})],
])("E08 %s writes nothing more after its 503: not after the %s", async (route, step, createCall) => {
  const account = await service.register();
  const [{ cookies }] = [await service.logIn({ account }), await service.logIn({ account })];
  const { held, abandoned } = await callTooLong(route, step, { cookies, ...createCall(account) });
  const late = setTimeout(5_000, "late", { ref: false });
  expect(await Promise.race([abandoned.then(() => "at once"), late])).toBe("at once");
  const { length } = wire.requests;
  await held.release();
  // What were still to come would be sent before all of these are answered.
  const others = [await service.register(), await service.register(), await service.register()];
  expect(wire.names.slice(length)).toEqual(others.map(() => "TransactWriteItems users identities"));
});

test("S24 everybody who comes back at once after an outage has kept their session", async () => {
  const pairs: Pair[] = [];
  for (let i = 0; i < 20; i++) pairs.push(await service.logIn({ key }));
  // Of the last requests before the outage a half was applied, and nobody heard of it.
  wire.break(update, loseAnswer, { times: pairs.length / 2 });
  wire.break(update, fail, { times: 999 });
  for (const pair of pairs) expectProblem(await service.refresh(pair, { key }), refusals.unavailable);
  clock.advance(300);
  wire.mend();
  const answers = await Promise.all(pairs.map((pair) => service.refresh(pair, { key })));
  const successors = answers.map(pairOf);
  expect(new Set(successors.map(({ refreshToken }) => refreshToken)).size).toBe(pairs.length);
  expect(log.events()).toEqual([]);
  clock.advance(30);
  for (const pair of successors) await service.rotate(pair, { key });
});

test("an outage is logged under the request id that the client was told, with nothing of the request but whose session it is, and from where", async () => {
  const pair = await service.logIn();
  wire.break(update, fail, { times: 3 });
  const { instance } = bodyOf(await service.refresh(pair));
  const failure = { name: expect.any(String), message: expect.any(String), stack: expect.any(Array) };
  expect(log.entries().filter(({ level }) => level === "ERROR")).toEqual([
    {
      ...{ level: "ERROR", event: "failure", requestId: instance, stage: "test" },
      ...{ route: "POST /auth/refresh", status: 503, code: "unavailable" },
      ...{ time: expect.any(String), durationMs: expect.any(Number) },
      ...{ ip: "192.0.2.7", userId: pair.claims.sub, sessionHash: expect.stringMatching(/^[\w-]{43}$/) },
      ...{ Refusal: 1, _aws: expect.any(Object) },
      errors: [
        { ...failure, name: "AppError", message: "unavailable" },
        { ...failure, name: "InternalServerError" },
      ],
    },
  ]);
});
