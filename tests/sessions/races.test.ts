import { describe, expect, test } from "@jest/globals";
import type { ApiResponse } from "../../lib/http/response.ts";
import { expectCookie, expectJson, expectNoContent, expectProblem, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { createEvent } from "../support/event.ts";
import { gather, hold } from "../support/faults.ts";
import { keepSecrets, log } from "../support/log.ts";
import { type Pair, pairOf } from "../support/pair.ts";
import { createRotations, key, remove, update } from "../support/rotations.ts";
import type { Sandbox } from "../support/sandbox.ts";
import { type Account, startService } from "../support/service.ts";

const service = await startService();
const { sandbox, wire, expectOver } = service;
const { rotated, expectGoesOn } = createRotations(service);
const sandboxes = Array.from({ length: 4 }, () => service.createSandbox());

/** Refreshes a pair this many times; the wire holds every request back until all have arrived. */
function refreshAll(count: number, pair: Pair, key?: string, among = sandboxes): Promise<ApiResponse[]> {
  wire.forget();
  wire.break(update, gather(count), { times: count });
  return Promise.all(
    Array.from({ length: count }, (_, i) => service.refresh(pair, { key, as: among[i % among.length] })),
  );
}

/** Asserts that all got one cookie, and returns its pair. */
function expectOneCookie(responses: ApiResponse[]): Pair {
  expect(new Set(responses.map(expectCookie)).size).toBe(1);
  return pairOf(responses[0] as ApiResponse);
}

describe("at the same moment", () => {
  test.each([
    ["R04 without keys", undefined, 4],
    ["R04 with an Idempotency-Key", key, 4],
    ["R05 without keys", undefined, 50],
  ])(
    "%s, %s: 50 refreshes of one pair by %i sandboxes are one rotation and 50 times one cookie",
    async (...row) => {
      const [, key, count] = row;
      const among = Array.from({ length: count }, () => service.createSandbox());
      // Each has loaded its code: no request waits for that.
      for (const as of among) expectProblem(await as.refresh(), refusals.noCredentials);
      const first = await service.logIn({ key });
      clock.advance(1_000);
      log.clear();
      const second = expectOneCookie(await refreshAll(50, first, key, among));
      expect(wire.appliedWrites).toEqual([update]);
      expect(await service.findSession(first)).toMatchObject({
        rotatedAt: clock.now,
        keyed: key !== undefined,
      });
      expect(log.events()).toEqual(key ? [] : Array(49).fill("authn_token_repeat_unproven"));
      await expectGoesOn(second, { key });
    },
  );

  test("E06 one event that Lambda delivers twice is one rotation and twice one cookie", async () => {
    const { cookies } = await service.logIn();
    const event = createEvent("refresh", { cookies });
    wire.forget();
    wire.break(update, gather(2), { times: 2 });
    expectOneCookie(await Promise.all([1, 2].map(() => sandbox.invoke("refresh", event))));
    expect(wire.appliedWrites).toEqual([update]);
  });

  test("20 proven repeats after an hour are one re-arming and 20 times one cookie; the current pair joins them", async () => {
    const { first, second } = await rotated({ login: key, refresh: key });
    clock.advance(3_600);
    const answers = await refreshAll(20, first, key);
    expect(expectOneCookie(answers).refreshToken).toBe(second.refreshToken);
    expect(wire.appliedWrites).toEqual([update]);
    expectOneCookie([...answers, await service.refresh(second, { key })]);
  });

  test("R45 20 replays end the session once and for all", async () => {
    const { first, second } = await rotated();
    clock.advance(10);
    for (const response of await refreshAll(20, first)) expectProblem(response, refusals.tokenExpired);
    expect(log.events()).toContain("authn_token_reuse");
    await expectOver([second, first]);
  });

  test("S20 20 sessions of one user refresh beside one another", async () => {
    const { account, pairs } = await service.open(20);
    wire.break(update, gather(20), { times: 20 });
    const answers = await Promise.all(
      pairs.map((pair, i) => service.refresh(pair, { as: sandboxes[i % 4] as Sandbox })),
    );
    const sessions = answers.map((answer) => pairOf(answer).claims.sid);
    expect(sessions).toEqual(pairs.map(({ claims }) => claims.sid));
    expect(await service.database.sessionsOf(account.userId)).toHaveLength(pairs.length);
  });
});

describe("R21 a logout", () => {
  const leave = async ({ cookies }: Pair) => expectCookie(await sandbox.logout({ cookies }));

  test("under way to the table lets a rotation pass and then ends its session", async () => {
    const pair = await service.logIn({ key });
    const held = hold("request");
    wire.break(remove, held.fault);
    const leaving = leave(pair);
    await held.arrived;
    const second = await service.rotate(pair, { key });
    await held.release();
    await leaving;
    await expectOver([second, pair], { key });
  });

  test.each(["request", "answer"] as const)("beats a re-arming whose %s is under way", async (what) => {
    const { first, second } = await rotated({ login: key, refresh: key });
    clock.advance(3_600);
    const held = hold(what);
    wire.break(update, (request) => request.deliver());
    wire.break(update, held.fault);
    const refreshing = service.refresh(first, { key });
    await held.arrived;
    await leave(second);
    await held.release();
    const answer = await refreshing;
    if (what === "request") expectProblem(answer, refusals.tokenExpired);
    // Decided before the logout, and worth nothing after it.
    await expectOver([second, first, ...(what === "answer" ? [pairOf(answer)] : [])], { key });
  });
});

describe.each([
  ["R21 a logout", async ({ cookies }: Pair) => expectCookie(await sandbox.logout({ cookies }))],
  [
    "R23 log out everywhere",
    async (_: Pair, { cookies }: Pair) => expectNoContent(await sandbox.revokeAllSessions({ cookies })),
  ],
  [
    "R24 a password change",
    async (_: Pair, { cookies }: Pair, { password }: Account) => {
      const body = { currentPassword: password, newPassword: `${password} and more` };
      keepSecrets(body.newPassword);
      expectJson(await sandbox.changePassword({ cookies, body }), 200, { msg: "success" });
    },
  ],
  [
    "the end of one session",
    async ({ key }: Pair, { cookies }: Pair) =>
      expectNoContent(await sandbox.revokeSession({ cookies, pathParameters: { sessionId: key.sessionId } })),
  ],
])("%s", (_, end) => {
  test.each(["request", "answer"] as const)("beats a refresh whose %s is under way", async (what) => {
    const { account, pairs } = await service.open(2);
    const [own, other] = pairs;
    const held = hold(what);
    wire.break(update, held.fault);
    const refreshing = service.refresh(other);
    await held.arrived;
    await end(other, own, account);
    await held.release();
    const answer = await refreshing;
    if (what === "request") expectProblem(answer, refusals.tokenExpired);
    await expectOver([other, ...(what === "answer" ? [pairOf(answer)] : [])]);
  });
});
