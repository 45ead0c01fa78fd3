import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "@jest/globals";
import type { ApiResponse } from "../lib/http/response.ts";
import { expectCookie, expectProblem, refusals } from "./support/answer.ts";
import { clock } from "./support/clock.ts";
import { hold } from "./support/faults.ts";
import { log } from "./support/log.ts";
import { type Pair, pairOf } from "./support/pair.ts";
import { startServices } from "./support/service.ts";

const key = "5d0c2bd8-5f4e-4c1a-b7a6-0c5b0f7a4e03";
const update = "UpdateItem sessions";
const remove = "DeleteItem sessions";

describe.each(await startServices())("at the same moment on $engine", (service) => {
  const { sandbox, wire } = service;
  const sandboxes = Array.from({ length: 4 }, () => service.createSandbox());

  /**
   * Refreshes one pair so many times at once, by several sandboxes. Who is answered 503, on a machine that is too slow
   * for all of them, comes again when the answer says, as clients do.
   */
  function refreshAll(times: number, pair: Pair, key?: string): Promise<ApiResponse[]> {
    const calls = Array.from({ length: times }, async (_, i) => {
      for (;;) {
        const response = await service.refresh(pair, { key, as: sandboxes[i % sandboxes.length] });
        if (response.statusCode !== 503) return response;
        await setTimeout(Number(response.headers["retry-after"]) * 1_000);
      }
    });
    return Promise.all(calls);
  }

  /** Asserts that all got one cookie, and returns its pair. */
  function expectOneCookie(responses: ApiResponse[]): Pair {
    expect(new Set(responses.map(expectCookie)).size).toBe(1);
    return pairOf(responses[0] as ApiResponse);
  }

  test.each([
    ["without keys", undefined],
    ["with an Idempotency-Key", key],
  ])("R04 100 refreshes of one pair are one rotation and 100 times one cookie, %s", async (_, key) => {
    // The sandboxes are warm: their first calls load code, here it is requests that race.
    await Promise.all(sandboxes.map(async (as) => service.refresh(await service.logIn(), { as })));
    const first = await service.logIn({ key });
    clock.advance(1_000);
    wire.forget();
    log.clear();
    const second = expectOneCookie(await refreshAll(100, first, key));
    expect(wire.appliedWrites).toEqual([update]);
    expect(await service.findSession(first)).toMatchObject({
      rotatedAt: clock.now,
      keyed: key !== undefined,
    });
    // There is a 100th if the answer to the rotation itself was a 503.
    const repeats = (key ? [0] : [99, 100]).map((count) => Array(count).fill("authn_token_repeat_unproven"));
    expect(repeats).toContainEqual(log.events());
    clock.advance(30);
    expect((await service.rotate(second, { key })).claims.iat).toBe(clock.now);
  });

  test("20 proven repeats after an hour are one re-arming and 20 times one cookie", async () => {
    const first = await service.logIn({ key });
    const second = await service.rotate(first, { key });
    clock.advance(3_600);
    wire.forget();
    const armed = expectOneCookie(await refreshAll(20, first, key));
    expect(armed.refreshToken).toBe(second.refreshToken);
    expect(wire.appliedWrites).toEqual([update]);
  });

  test("tabs with the current pair and tabs with its predecessor, an hour late, all end with one chain", async () => {
    const first = await service.logIn({ key });
    const second = await service.rotate(first, { key });
    clock.advance(3_600);
    const answers = await Promise.all([
      service.refresh(first, { key }),
      service.refresh(first, { key, as: sandboxes[0] }),
      service.refresh(first, { key, as: sandboxes[1] }),
    ]);
    expect(expectOneCookie(answers).refreshToken).toBe(second.refreshToken);
    const line = expectCookie(await service.refresh(second, { key }));
    expect(line).toBe(expectCookie(answers[0]));
  });

  test("R45 20 replays end the session once and for all", async () => {
    const first = await service.logIn();
    const second = await service.rotate(first);
    clock.advance(10);
    for (const response of await refreshAll(20, first)) expectProblem(response, refusals.tokenExpired);
    expectProblem(await service.refresh(second), refusals.tokenExpired);
    expect(log.events()).toContain("authn_token_reuse");
    expect(await service.findSession(first)).toBeUndefined();
  });

  test("S20 20 sessions of one user refresh beside one another", async () => {
    const account = await service.register();
    const pairs: Pair[] = [];
    // One after the other: of 20 logins at once the attempt limit lets five through.
    for (let i = 0; i < 20; i++) pairs.push(await service.logIn({ account, as: sandboxes[i % 4] }));
    const answers = await Promise.all(
      pairs.map((pair, i) => service.refresh(pair, { as: sandboxes[i % 4] })),
    );
    expect(new Set(answers.map(expectCookie)).size).toBe(pairs.length);
    expect(await service.database.sessionsOf(account.userId)).toHaveLength(pairs.length);
  });

  test("interleaved requests of two users in one sandbox never mix", async () => {
    const accounts = await Promise.all([service.register(), service.register()]);
    const pairs = await Promise.all(accounts.map((account) => service.logIn({ account })));
    const calls = Array.from({ length: 100 }, async (_, i) => {
      const { cookies, claims } = pairs[i % 2] as Pair;
      const response = await (i % 3 ? sandbox.me({ cookies }) : sandbox.refresh({ cookies }));
      const found = i % 3 ? JSON.parse(response.body ?? "") : pairOf(response).claims;
      expect(found).toMatchObject({ sub: claims.sub, sid: claims.sid, email: claims.email });
    });
    await Promise.all(calls);
  });

  describe("R21 a logout", () => {
    /** Asserts that nothing is left of a session. */
    async function expectOver(...pairs: Pair[]) {
      for (const pair of pairs) expectProblem(await service.refresh(pair, { key }), refusals.tokenExpired);
      expect(await service.findSession(pairs[0] as Pair)).toBeUndefined();
    }

    test("answered while a rotation is under way to the table beats it", async () => {
      const pair = await service.logIn({ key });
      const held = hold("request");
      wire.break(update, held.fault);
      const refreshing = service.refresh(pair, { key });
      await held.arrived;
      expectCookie(await sandbox.logout({ cookies: pair.cookies }));
      await held.release();
      expectProblem(await refreshing, refusals.tokenExpired);
      await expectOver(pair);
    });

    test("answered while the answer to a rotation is under way ends the successor too", async () => {
      const pair = await service.logIn({ key });
      const held = hold("answer");
      wire.break(update, held.fault);
      const refreshing = service.refresh(pair, { key });
      await held.arrived;
      expectCookie(await sandbox.logout({ cookies: pair.cookies }));
      await held.release();
      // Decided before the logout, and worth nothing after it.
      const second = pairOf(await refreshing);
      await expectOver(second, pair);
    });

    test("under way to the table lets a rotation pass and then ends its session", async () => {
      const pair = await service.logIn({ key });
      const held = hold("request");
      wire.break(remove, held.fault);
      const leaving = sandbox.logout({ cookies: pair.cookies });
      await held.arrived;
      const second = await service.rotate(pair, { key });
      await held.release();
      expectCookie(await leaving);
      await expectOver(second, pair);
    });

    test("beats a re-arming that is under way to the table", async () => {
      const first = await service.logIn({ key });
      const second = await service.rotate(first, { key });
      clock.advance(3_600);
      const held = hold("request");
      wire.break(update, (request) => request.deliver());
      wire.break(update, held.fault);
      const refreshing = service.refresh(first, { key });
      await held.arrived;
      expectCookie(await sandbox.logout({ cookies: second.cookies }));
      await held.release();
      expectProblem(await refreshing, refusals.tokenExpired);
      await expectOver(second, first);
    });

    test("beats a re-arming whose answer is under way", async () => {
      const first = await service.logIn({ key });
      const second = await service.rotate(first, { key });
      clock.advance(3_600);
      const held = hold("answer");
      wire.break(update, (request) => request.deliver());
      wire.break(update, held.fault);
      const refreshing = service.refresh(first, { key });
      await held.arrived;
      expectCookie(await sandbox.logout({ cookies: first.cookies }));
      await held.release();
      await expectOver(pairOf(await refreshing), second, first);
    });

    test("among 40 refreshes leaves nothing that works", async () => {
      const pair = await service.logIn({ key });
      const leaving = sandbox.logout({ cookies: pair.cookies });
      const responses = await refreshAll(40, pair, key);
      expectCookie(await leaving);
      const pairs = responses.flatMap((response) => (response.statusCode === 200 ? [pairOf(response)] : []));
      for (const response of responses) {
        if (response.statusCode !== 200) expectProblem(response, refusals.tokenExpired);
      }
      await expectOver(pair, ...pairs);
      expect(wire.names.filter((name) => name === remove)).toHaveLength(1);
    });
  });
});
