import { describe, expect, test } from "@jest/globals";
import { expectNoContent, expectProblem, refusals } from "./support/answer.ts";
import { clock } from "./support/clock.ts";
import { deliverTwice, hold, loseAnswer, loseRequest } from "./support/faults.ts";
import { log } from "./support/log.ts";
import type { Pair } from "./support/pair.ts";
import { startServices } from "./support/service.ts";

const key = "f4a7a2c0-8a40-4a2e-8b5f-5a1d0f6e7b04";
const update = "UpdateItem sessions";

describe.each(await startServices())("between the service and $engine", (service) => {
  const { sandbox, wire, expectRequests } = service;
  const look = service.engine === "embedded" ? ["GetItem sessions"] : [];
  const noWindow = service.createSandbox({ REFRESH_WINDOW_SECONDS: "0" });

  describe("a rotation whose answer is lost", () => {
    test.each([
      ["in a session without keys", undefined, sandbox],
      ["in a keyed session", key, sandbox],
      ["without a window", undefined, noWindow],
    ])("R43 S03 is known as our own when the SDK tries again: %s", async (_, key, as) => {
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

    test("R12 S04 every time is a 503 without a cookie; the client's retry gets the successor, with its key any time", async () => {
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

    test("R11 every time is answered inside the window when the client has no key", async () => {
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

    test("S06 S23 late, after the client's timeout and its successful retry, rotates once", async () => {
      const pairs = [await service.logIn(), await service.logIn()];
      const holds = [hold("request"), hold("answer")];
      for (const { fault } of holds) wire.break(update, fault);
      const seconds = await Promise.all(pairs.map((first) => service.rotate(first, { as: noWindow })));
      const before = await Promise.all(pairs.map(service.findSession));
      for (const { release } of holds) await release();
      expect(await Promise.all(pairs.map(service.findSession))).toEqual(before);
      clock.advance(30);
      for (const second of seconds) await service.rotate(second);
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

  test.each([
    ["all", {}],
    ["all other", { except: "current" }],
  ])(
    "the end of %s sessions that is delivered again late ends none that was opened since",
    async (_, query) => {
      const account = await service.register();
      const ended = await service.logIn({ account });
      const { cookies } = await service.logIn({ account });
      const held = hold("request");
      wire.break("UpdateItem users", held.fault);
      expectNoContent(await sandbox.revokeAllSessions({ cookies, query }));
      const opened = await service.logIn({ account });
      await held.release();
      // This login would finish what it takes for an unfinished end of all sessions.
      await service.logIn({ account });
      clock.advance(60);
      await service.rotate(opened);
      expectProblem(await service.refresh(ended), refusals.tokenExpired);
    },
  );

  /** Refreshes while no write gets through; returns the writes, which may still arrive. */
  async function refreshInVain(pair: Pair) {
    wire.forget();
    wire.break(update, loseRequest, { times: 3 });
    expectProblem(await service.refresh(pair, { key }), refusals.unavailable);
    return wire.requests.filter(({ name }) => name === update);
  }
});
