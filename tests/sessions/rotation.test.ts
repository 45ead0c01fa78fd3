import { describe, expect, test } from "@jest/globals";
import { expectCookie, expectProblem, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { precededBy } from "../support/faults.ts";
import { log } from "../support/log.ts";
import { pairOf } from "../support/pair.ts";
import { createRotations, key, otherKey, update } from "../support/rotations.ts";
import { startService } from "../support/service.ts";

// What each state of a session means is a table of lib/sessions/rotation.test.ts; here are the ways through the door.
// Defaults: a window of 10 s, a minimum interval of 30 s, access tokens of 900 s.

const service = await startService();
const { sandbox, database, wire, expectRequests } = service;
const { lineOf, rotated, expectReplay, expectSameAnswer } = createRotations(service);

describe("the current pair", () => {
  test.each([
    ["without keys", undefined, [undefined]],
    ["of a keyed session, with its key, another or none", key, [key, otherKey, undefined]],
  ])(
    "R14 R15 is answered with the same pair inside the minimum interval, and rotates at its end, %s",
    async (_, key, presented) => {
      const { second, line } = await rotated({ login: key, refresh: key });
      for (const seconds of [0, 1, 28]) {
        clock.advance(seconds);
        for (const sent of presented) await expectSameAnswer(second, line, sent);
      }
      expect(log.events()).toEqual([]);
      clock.advance(1);
      const third = await expectRequests([update], () => service.rotate(second));
      expect(third.refreshToken).not.toBe(second.refreshToken);
      expect(third.claims.iat).toBe(clock.now);
    },
  );

  test("rotates every time when the minimum interval is 0", async () => {
    const as = service.createSandbox({ REFRESH_MIN_INTERVAL_SECONDS: "0", REFRESH_WINDOW_SECONDS: "0" });
    const first = await service.logIn({ as });
    const second = await service.rotate(first, { as });
    const third = await service.rotate(second, { as });
    expect(new Set([first, second, third].map(({ refreshToken }) => refreshToken)).size).toBe(3);
  });

  test("R03 a thousand rotations are one session that keeps its identity and its absolute end", async () => {
    const account = await service.addAccount();
    const first = await service.logIn({ account, key });
    const seen = new Set([first.refreshToken]);
    let pair = first;
    for (let i = 0; i < 1_000; i++) {
      clock.advance(30);
      pair = await service.rotate(pair, { key });
      seen.add(pair.refreshToken);
    }
    expect(seen.size).toBe(1_001);
    const { sid, sub, auth_time } = first.claims;
    expect(pair.claims).toMatchObject({ sid, sub, auth_time });
    const times = { createdAt: auth_time, rotatedAt: clock.now, expiresAt: clock.now + 86_400 };
    expect(await database.sessionsOf(account.userId)).toEqual([
      expect.objectContaining({ sessionId: sid, keyed: true, ...times }),
    ]);
    // The absolute end counts from the login, however often the session was renewed.
    const ends = service.createSandbox({ SESSION_MAX_AGE_SECONDS: "30000" });
    expectProblem(await service.refresh(pair, { as: ends }), refusals.tokenExpired);
  });
});

describe("the predecessor in a session without keys", () => {
  test("R06 R16 is answered with the winner's very bytes inside the window, as its successor is, and logged as unproven", async () => {
    const { first, second, line } = await rotated();
    for (const seconds of [0, 1, 8]) {
      clock.advance(seconds);
      log.clear();
      await expectSameAnswer(first, line);
      expect(log.events()).toEqual(["authn_token_repeat_unproven"]);
      await expectSameAnswer(second, line);
    }
  });

  test.each([10, 86_399])("R07 R08 R17 R19 is a replay from the window's edge on: %i s", async (seconds) => {
    const { first, second } = await rotated();
    clock.advance(seconds);
    await expectReplay(first, second);
  });

  test("R43 is a replay at once when the window is 0", async () => {
    const as = service.createSandbox({ REFRESH_WINDOW_SECONDS: "0" });
    const { first, second } = await rotated();
    expectProblem(await service.refresh(first, { as }), refusals.tokenExpired);
    await service.expectOver([second], { as });
  });

  test("T08 counts as fresh when the winner's clock was ahead", async () => {
    const first = await service.logIn();
    const winner = await clock.runAt(clock.now + 4, () => service.refresh(first));
    const line = expectCookie(winner);
    await expectSameAnswer(first, line);
    await expectSameAnswer(pairOf(winner), line);
  });
});

describe("the predecessor in a keyed session", () => {
  test("is answered with the winner's very bytes for its key, up to 5 s later", async () => {
    const { first, line } = await rotated({ login: key, refresh: key });
    for (const seconds of [0, 1, 4]) {
      clock.advance(seconds);
      await expectSameAnswer(first, line, key);
      await expectSameAnswer(first, line, `"${key}"`);
    }
    expect(log.events()).toEqual([]);
  });

  test.each([6, 80_000])("is re-armed for its key %i s later", async (seconds) => {
    const { first, second } = await rotated({ login: key, refresh: key });
    const before = await service.findSession(first);
    clock.advance(seconds);
    const again = await expectRequests([update, update], () => service.rotate(first, { key }));
    expect(again.refreshToken).toBe(second.refreshToken);
    expect(again.claims).toEqual({ ...second.claims, iat: clock.now, exp: clock.now + 900 });
    const rotatedAtMs = clock.now * 1000;
    const armed = { ...before, rotatedAt: clock.now, rotatedAtMs, expiresAt: clock.now + 86_400, rearms: 1 };
    expect(await service.findSession(first)).toEqual(armed);
    expect((await sandbox.movies({ cookies: again.cookies })).statusCode).toBe(200);
  });

  test.each([
    ["without its key", key, undefined],
    ["with another key", key, otherKey],
    ["by its victim, when a thief was first with a key of their own", otherKey, key],
  ])("is a replay %s, at once", async (_, refresh, presented) => {
    const { first, second } = await rotated({ login: key, refresh });
    await expectReplay(first, second, presented);
  });

  test("of a browser that was killed is proven by the key before: its cookie is older than its storage", async () => {
    const { first, line } = await rotated({ login: key, refresh: otherKey });
    const response = await service.refresh(first, { key: "chosen-but-never-sent", previousKey: otherKey });
    expect(expectCookie(response)).toBe(line);
  });

  test("is a replay for who holds the key before, once somebody has rotated twice with one key", async () => {
    const { first, second } = await rotated({ login: key, refresh: otherKey });
    // A thief copied the request of that refresh.
    await service.refresh(first, { key: otherKey });
    clock.advance(30);
    const third = await service.rotate(second, { key: otherKey });
    const victim = { key: "chosen-but-never-sent", previousKey: otherKey };
    expectProblem(await service.refresh(second, victim), refusals.tokenExpired);
    await service.expectOver([third]);
  });

  test("is not proven by the key of an earlier rotation", async () => {
    const { second } = await rotated({ login: key, refresh: key });
    clock.advance(30);
    const third = await service.rotate(second);
    expect((await service.findSession(third))?.rotationKeyHash).toBeUndefined();
    await expectReplay(second, third, key);
  });
});

describe("a re-arming", () => {
  test("S17 that meets the end of the session revives nothing", async () => {
    const { first } = await rotated({ login: key, refresh: key });
    clock.advance(3_600);
    wire.break(update, (request) => request.deliver());
    wire.break(
      update,
      precededBy(() => database.delete("sessions", first.key)),
    );
    const call = () => service.refresh(first, { key });
    await service.expectRefusal(call, refusals.tokenExpired, [update, update]);
    expect(await service.findSession(first)).toBeUndefined();
  });

  test("happens ten times between two rotations; later repeats are answered all the same", async () => {
    const { first, second } = await rotated({ login: key, refresh: key });
    let line = "";
    for (let i = 0; i < 10; i++) {
      clock.advance(6);
      line = await expectRequests([update, update], () => lineOf(first, key));
    }
    clock.advance(3_600);
    await expectSameAnswer(first, line, key);
    await service.rotate(second, { key });
    clock.advance(6);
    await expectRequests([update, update], () => lineOf(second, key));
  });

  test("of a session that moves under every look is not judged: 503", async () => {
    const { first } = await rotated({ login: key, refresh: key });
    const { rotatedAtMs } = (await service.findSession(first)) ?? {};
    clock.advance(3_600);
    let moves = 0;
    wire.break(update, (request) => request.deliver());
    wire.break(
      update,
      precededBy(() => database.change("sessions", first.key, { rotatedAtMs: rotatedAtMs + ++moves })),
      { times: 4 },
    );
    await expectRequests(Array(5).fill(update), async () =>
      expectProblem(await service.refresh(first, { key }), refusals.unavailable),
    );
    expectCookie(await service.refresh(first, { key }));
  });
});

describe("a stored session", () => {
  // What a session must look like is a table of lib/sessions/session.test.ts.
  test.each([
    ["without a hash", { tokenHash: undefined }],
    ["with an end in text", { expiresAt: "9999999999" }],
    ["with roles that are no list", { claims: { roles: "admin" } }],
  ])(
    "S16 %s is a defect of ours, not the client's: 500 that names the item in the log",
    async (_, damage) => {
      const { first, second } = await rotated();
      const intact = (await service.findSession(first)) ?? {};
      await database.change("sessions", first.key, damage);
      const { userId, sessionId } = first.key;
      const named = `the session with userId "${userId}", sessionId "${sessionId}" is damaged: ${Object.keys(damage)}`;
      for (const presented of [first, second]) {
        log.clear();
        expectProblem(await service.refresh(presented), refusals.internalError);
        expect(JSON.stringify(log.entries()[0]?.errors)).toContain(JSON.stringify(named).slice(1, -1));
      }
      await database.put("sessions", intact);
      expectCookie(await service.refresh(second));
    },
  );
});
