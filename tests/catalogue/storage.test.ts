import { expect, test } from "@jest/globals";
import { expectCookie, expectJson, expectNoContent, expectProblem, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { createEvent } from "../support/event.ts";
import { deny, fail, loseAnswer, loseRequest } from "../support/faults.ts";
import { invokeFresh } from "../support/fresh-process.ts";
import { keepSecrets, log } from "../support/log.ts";
import { type Pair, pairOf } from "../support/pair.ts";
import { startServices } from "../support/service.ts";

const [service, embedded] = await startServices();
const { sandbox, database, wire, expectRequests } = service;
const key = "0b6f2b52-91c6-4a9e-8f44-2f1f9be41a08";
const update = "UpdateItem sessions";
const remove = "DeleteItem sessions";

test("S12 a logout whose answer was lost is a logout, and another one too", async () => {
  for (const times of [1, 2]) {
    const pair = await service.logIn();
    wire.break(remove, loseAnswer, { times });
    const expected = Array.from({ length: times + 1 }, () => remove);
    expectCookie(await expectRequests(expected, () => sandbox.logout({ cookies: pair.cookies })));
    expect(await service.findSession(pair)).toBeUndefined();
  }
});

test.each([1, 2])(
  "S14 the end of all sessions whose first write's answer was lost %i times",
  async (times) => {
    const account = await service.register();
    const pairs = [await service.logIn({ account }), await service.logIn({ account })];
    wire.break("UpdateItem users", loseAnswer, { times });
    expectNoContent(await sandbox.revokeAllSessions({ cookies: pairs[0]?.cookies ?? [] }));
    const { sessionEpoch, sweptEpoch } = (await database.find("users", { email: account.email })) ?? {};
    expect(sessionEpoch).toBeGreaterThanOrEqual(1);
    expect(sessionEpoch).toBeLessThanOrEqual(times + 1);
    expect(sweptEpoch).toBe(sessionEpoch);
    for (const pair of pairs) expectProblem(await service.refresh(pair), refusals.tokenExpired);
    await service.rotate(await service.logIn({ account }));
  },
);

test("S18 every read that any route sends is strongly consistent, and of a table", async () => {
  const { sandbox, wire } = embedded;
  const account = await embedded.register();
  const { email, password } = account;
  const newPassword = `${password} and more`;
  keepSecrets(newPassword);
  await sandbox.register({ body: { email, password } });
  for (let i = 0; i < 6; i++) await sandbox.login({ body: { email, password: "not the right one" } });
  clock.advance(30);
  const first = await embedded.logIn({ account });
  const { cookies } = await embedded.rotate(first);
  await embedded.refresh(first);
  await sandbox.listSessions({ cookies });
  await sandbox.exportAccount({ cookies });
  await sandbox.changePassword({ cookies, body: { currentPassword: password, newPassword } });
  await sandbox.revokeAllSessions({ cookies, query: { except: "current" } });
  await sandbox.deleteAccount({ cookies, body: { password: newPassword } });
  const reads = wire.requests.filter(({ name }) => /^(Get|Query|Scan|BatchGet)/.test(name));
  expect([...new Set(reads.map(({ name }) => name))].sort()).toEqual([
    ...["GetItem attempts", "GetItem sessions", "GetItem users", "Query sessions"],
  ]);
  for (const { name, parameters } of reads) {
    const { ConsistentRead, IndexName } = parameters;
    expect([name, ConsistentRead, IndexName]).toEqual([name, true, undefined]);
  }
});

test.each(["AccessDeniedException", "UnrecognizedClientException", "ResourceNotFoundException"])(
  "S19 %s from DynamoDB is a 503 that says nothing of it, and is logged as a failure of ours",
  async (type) => {
    const pair = await service.logIn();
    const account = await service.register();
    const { email, password } = account;
    log.clear();
    wire.break("", deny(type), { times: 99 });
    const answers = [
      await service.refresh(pair),
      await sandbox.logout({ cookies: pair.cookies }),
      await sandbox.login({ body: { email, password } }),
      await sandbox.register({ body: { email: "somebody@example.com", password } }),
      await sandbox.listSessions({ cookies: pair.cookies }),
    ];
    for (const answer of answers) {
      expectProblem(answer, refusals.unavailable);
      expect(answer.body).not.toContain(type);
    }
    const failures = log.entries().filter(({ level, event }) => level === "ERROR" && event === "failure");
    expect(failures).toHaveLength(answers.length);
    wire.mend();
    await service.rotate(pair);
    await service.logIn({ account });
  },
);

test("S22 a flood of guesses at one account is five checks and six writes, and no other account notices", async () => {
  const [victim, other] = [await service.register(), await service.register()];
  const body = { email: victim.email, password: "not the right password" };
  wire.forget();
  const statuses: number[] = [];
  for (let i = 0; i < 200; i++) statuses.push((await sandbox.login({ body })).statusCode);
  expect(statuses).toEqual([...Array(5).fill(401), ...Array(195).fill(429)]);
  expect(wire.names.filter((name) => name === "UpdateItem attempts")).toHaveLength(6);
  await service.logIn({ account: other });
});

test("S24 everybody who comes back at once after an outage has kept their session", async () => {
  const pairs: Pair[] = [];
  for (let i = 0; i < 5; i++) {
    const account = await service.register();
    for (let j = 0; j < 4; j++) pairs.push(await service.logIn({ account, key }));
  }
  // Of the last requests before the outage a half was applied, and nobody heard of it.
  wire.break(update, loseAnswer, { times: pairs.length / 2 });
  wire.break(update, fail, { times: 999 });
  for (const pair of pairs) expectProblem(await service.refresh(pair, { key }), refusals.unavailable);
  clock.advance(300);
  wire.mend();
  const answers = await Promise.all(pairs.map((pair) => service.refresh(pair, { key })));
  const successors = answers.map((answer) => pairOf(answer));
  expect(new Set(successors.map(({ refreshToken }) => refreshToken)).size).toBe(pairs.length);
  expect(log.events()).toEqual([]);
  clock.advance(30);
  for (const pair of successors) await service.rotate(pair, { key });
});

test("E07 a process that is killed between its write and its answer has rotated for the client's retry", async () => {
  const first = await service.logIn({ key });
  const headers = { "idempotency-key": key };
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
    DYNAMODB_ENDPOINT: wire.endpoint,
  };
  const event = createEvent("refresh", { cookies: first.cookies, headers });
  const bundle = ".local/test/bundles/functions/session/refresh.mjs";
  await expect(invokeFresh(bundle, env, event, { signal: killing.signal })).rejects.toThrow("killed");
  const stored = await service.findSession(first);
  expect(stored).toMatchObject({ rotatedAt: clock.now });
  clock.advance(60);
  const second = await service.rotate(first, { key });
  expect(await service.findSession(first)).toMatchObject({ tokenHash: stored?.tokenHash });
  clock.advance(30);
  await service.rotate(second, { key });
});

test("S05 a request that never arrives is sent again, and rotates once", async () => {
  const first = await service.logIn();
  wire.break(update, loseRequest);
  const second = await expectRequests([update, update], () => service.rotate(first));
  expect((await service.findSession(first))?.rotatedAt).toBe(clock.now);
  expectJson(await sandbox.me({ cookies: second.cookies }), 200, second.claims);
});
