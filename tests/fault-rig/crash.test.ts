import { beforeAll, describe, expect, test } from "@jest/globals";
import { expectCookie, expectProblem, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import type { ClientRequest, RouteName } from "../support/event.ts";
import { type Pair, pairOf } from "../support/pair.ts";
import type { Sandbox } from "../support/sandbox.ts";
import { type Account, startService } from "../support/service.ts";
import { killAt, type Moment, moments, startVictim } from "./crash.ts";

// A function dies with SIGKILL between its requests to the database; another process serves the client's repeat.

const service = await startService("embedded");
const { database, wire } = service;
const key = "9b1f7c52-93f5-4b6c-a0f4-0d9d6f2f1c11";
let account: Account;
let other: Sandbox;

beforeAll(async () => {
  account = await service.register();
  other = service.createSandbox();
});

/** A read changes nothing: that it was answered is all there is. */
const read: Moment[] = ["when it is answered"];

/** Starts a function and kills it at its nth request of a name. */
async function crash(
  route: RouteName,
  request: ClientRequest,
  { step, nth = 1, moment }: { step: string; nth?: number; moment: Moment },
): Promise<void> {
  const victim = startVictim(service, route, request);
  wire.forget();
  for (let before = 1; before < nth; before++) wire.break(step, (request) => request.deliver());
  wire.break(step, killAt(moment, victim.kill));
  await victim.ended;
  wire.mend();
  expect(wire.names.filter((name) => name === step)).toHaveLength(nth);
}

function cases(steps: { step: string; nth?: number; moments?: readonly Moment[] }[]) {
  return steps.flatMap(({ step, nth = 1, moments: at = moments }) =>
    at.map((moment) => ({ step, nth, moment })),
  );
}

describe.each([
  ["in a session without keys", undefined],
  ["in a keyed session", key],
])("refresh, %s", (_, key) => {
  const headers: Record<string, string> = key ? { "idempotency-key": key } : {};

  test.each(cases([{ step: "UpdateItem sessions" }]))("killed at $step $moment", async (at) => {
    const first = await service.logIn({ account, key });
    await crash("refresh", { cookies: first.cookies, headers }, at);
    const { tokenHash, rotatedAt } = (await service.findSession(first)) ?? {};
    expect(rotatedAt).toBe(at.moment === "before the database has it" ? undefined : clock.now);
    const second = await service.rotate(first, { key, as: other });
    if (rotatedAt) expect((await service.findSession(first))?.tokenHash).toBe(tokenHash);
    clock.advance(30);
    const third = await service.rotate(second, { key });
    expect(third.refreshToken).not.toBe(second.refreshToken);
  });
});

test.each(cases([{ step: "UpdateItem sessions", nth: 2 }]))(
  "a late repeat, killed at its re-arming $moment",
  async (at) => {
    const first = await service.logIn({ account, key });
    const second = await service.rotate(first, { key });
    clock.advance(3_600);
    await crash("refresh", { cookies: first.cookies, headers: { "idempotency-key": key } }, at);
    const again = await service.rotate(first, { key, as: other });
    expect(again.refreshToken).toBe(second.refreshToken);
    clock.advance(30);
    await service.rotate(again, { key });
  },
);

test.each(
  cases([
    { step: "UpdateItem attempts" },
    { step: "PutItem sessions" },
    { step: "GetItem users", nth: 2, moments: read },
  ]),
)("login, killed at $step ($nth) $moment", async (at) => {
  const account = await service.register();
  const { email, password } = account;
  await crash("login", { body: { email, password } }, at);
  const left = await database.sessionsOf(account.userId);
  expect(left).toHaveLength(at.step === "UpdateItem attempts" || at.moment === moments[0] ? 0 : 1);
  const pair = pairOf(await other.login({ body: { email, password } }));
  // What the dead login has left is another session, whose token nobody got.
  expect(left.map(({ sessionId }) => sessionId)).not.toContain(pair.key.sessionId);
  clock.advance(60);
  await service.rotate(pair);
});

test.each(cases([{ step: "DeleteItem sessions" }]))("logout, killed at $step $moment", async (at) => {
  const pair = await service.logIn({ account });
  await crash("logout", { cookies: pair.cookies }, at);
  expectCookie(await other.logout({ cookies: pair.cookies }));
  expectProblem(await service.refresh(pair), refusals.tokenExpired);
  expect(await service.findSession(pair)).toBeUndefined();
});

describe("log out everywhere", () => {
  test.each(
    cases([
      { step: "UpdateItem users" },
      { step: "Query sessions", moments: read },
      { step: "BatchWriteItem sessions" },
      { step: "UpdateItem users", nth: 2 },
    ]),
  )("killed at $step ($nth) $moment", async (at) => {
    const account = await service.register();
    const pairs = [await service.logIn({ account }), await service.logIn({ account, key })];
    const [{ cookies }] = pairs as [Pair, Pair];
    await crash("revokeAllSessions", { cookies }, at);
    const wasRaised = !(at.step === "UpdateItem users" && at.nth === 1 && at.moment === moments[0]);
    // A login that comes first finishes what was begun.
    if (wasRaised) await expectOverAfterLogin(account, pairs);
    expect((await other.revokeAllSessions({ cookies })).statusCode).toBe(204);
    for (const pair of pairs) expectProblem(await service.refresh(pair, { key }), refusals.tokenExpired);
    expect(await database.sessionsOf(account.userId)).toEqual([]);
    await service.rotate(await service.logIn({ account }));
  });

  async function expectOverAfterLogin(account: Account, pairs: Pair[]): Promise<void> {
    const pair = await service.logIn({ account });
    for (const ended of pairs) expectProblem(await service.refresh(ended, { key }), refusals.tokenExpired);
    await service.rotate(pair);
  }
});

describe("a change of the password", () => {
  const newPassword = "another correct horse battery staple";

  test.each(
    cases([
      { step: "UpdateItem attempts", moments: read },
      { step: "UpdateItem users" },
      { step: "Query sessions", moments: read },
      { step: "BatchWriteItem sessions" },
      { step: "UpdateItem users", nth: 2 },
    ]),
  )("killed at $step ($nth) $moment", async (at) => {
    const account = await service.register();
    const [own, another] = [await service.logIn({ account, key }), await service.logIn({ account })];
    const body = { currentPassword: account.password, newPassword };
    await crash("changePassword", { cookies: own.cookies, body }, at);

    const wasChanged =
      at.step !== "UpdateItem attempts" &&
      !(at.step === "UpdateItem users" && at.nth === 1 && at.moment === moments[0]);
    const repeated = await other.changePassword({ cookies: own.cookies, body });
    expect(repeated.statusCode).toBe(wasChanged ? 401 : 200);
    // The old password opens nothing, the new one does, and with that the rest is done.
    const { email, password } = account;
    expectProblem(await other.login({ body: { email, password } }), refusals.loginFailed);
    await service.logIn({ account: { ...account, password: newPassword } });
    expectProblem(await service.refresh(another), refusals.tokenExpired);
    clock.advance(60);
    await service.rotate(own, { key });
  });
});
