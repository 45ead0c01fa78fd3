import { describe, expect, test } from "@jest/globals";
import { AuthError } from "../../client/auth-error.ts";
import * as on from "../../client/session-reducer.ts";
import type { SessionState } from "../../client/state.ts";

const nowMs = 1_800_000_000_000;
const cookies = { bearer: false, nowMs, createKey: () => "new key", save: () => true };
const bearer = { ...cookies, bearer: true };
const life = { lifeMs: 900_000 };
const pair = { token: "old token", refreshToken: "old refresh token" };
const keys = { key: "old key", previousKey: "older key", sessionKey: "session key" };
const newPair = { token: "new token", refreshToken: "new refresh token" };

/** A state that was decided so many seconds ago. */
const aged = (seconds: number, state: SessionState = {}): SessionState => ({
  decidedAtMs: nowMs - seconds * 1000,
  ...state,
});
const stamp = ({ token, decidedAtMs }: SessionState) => token ?? decidedAtMs;
const reduce = (stored: SessionState, event: on.SessionEvent, context = cookies, before = stored) => {
  const { state, ...effects } = on.reduceSession(stored, event, { ...context, before });
  return { state, effects };
};
const [isStale, isFresh] = [() => true, () => false];
const renew = (state: SessionState, { isAsked = false, seen = stamp(state), context = cookies } = {}) =>
  reduce(state, [on.renew, seen, isAsked], context);

describe("renew", () => {
  test.each<[string, SessionState, object, "sent" | "left"]>([
    ["a pair of 59 s", aged(59, life), {}, "left"],
    ["a pair of 60 s", aged(60, life), {}, "sent"],
    ["a pair of 59 s whose life is not known", aged(59), {}, "left"],
    ["a pair of 60 s whose life is not known", aged(60), {}, "sent"],
    ["a short JWT's pair, before half its life", aged(12, { lifeMs: 26_000 }), {}, "left"],
    ["a short JWT's pair, after half its life", aged(13, { lifeMs: 26_000 }), {}, "sent"],
    ["a pair that came later than now: the clock was set back", aged(-1, life), {}, "sent"],
    ["a young pair, asked to", aged(59, life), { isAsked: true }, "left"],
    ["a session that has just ended", aged(59, { endStatus: 400 }), {}, "left"],
    ["a session that has just ended, asked to", aged(59, { endStatus: 400 }), { isAsked: true }, "sent"],
    ["a session that nothing is known of", {}, {}, "sent"],
    ["another pair than was seen", aged(600, life), { seen: nowMs }, "left"],
    ["a bearer client's pair", aged(600, { ...life, ...pair }), { context: bearer }, "sent"],
  ])("%s: %j, %j: %s", (_what, state, options, outcome) => {
    const decided = renew(state, options);
    expect(decided.effects.post?.[0]).toBe(outcome === "sent" ? "auth/refresh" : undefined);
    if (outcome === "left") expect(decided.state).toBe(state);
  });

  test.each<[string, SessionState, SessionState]>([
    ["the stored one, the one before, and the Session-Key", keys, keys],
    ["a new one where none is stored", {}, { key: "new key" }],
  ])("goes out with %s, and stores them before", (_which, stored, sent) => {
    const before = aged(840, { ...life, openedAtMs: 1, ...stored });
    const { state, effects } = renew(before);
    expect(state).toEqual({ ...before, ...sent });
    expect(effects).toMatchObject({ save: state, post: ["auth/refresh", undefined, { state, retry: true }] });
    expect(effects.next).toEqual([on.opened, state]);
  });

  test.each<[string, boolean, SessionState]>([
    ["nothing has changed", false, { lifeMs: 1 }],
    ["another tab has renewed", true, { decidedAtMs: nowMs }],
    ["the user has logged in", true, { openedAtMs: 2 }],
  ])("its answer, when %s: is stale: %j", (_what, stale, change) => {
    const before = aged(840, { openedAtMs: 1 });
    expect(renew(before).effects.isStale?.({ ...before, ...change })).toBe(stale);
  });

  test("takes the JWT's life for granted only if it was due", () => {
    expect(renew(aged(840, life)).effects.next?.[1]).toMatchObject(life);
    expect(renew(aged(839, life)).effects.next?.[1]).toMatchObject({ lifeMs: undefined });
  });

  test("a bearer client sends its pair; without one it asks nothing", () => {
    expect(renew(aged(600, pair), { context: bearer }).effects.post?.[1]).toEqual(pair);
    const { state, effects } = renew({}, { context: bearer });
    expect([state, effects.post]).toEqual([{}, undefined]);
    expect(effects.result).toMatchObject({ status: 401, code: "missing_credentials" });
  });
});

describe("the timer", () => {
  test.each<[string, SessionState, object, typeof cookies]>([
    ["60 s before the JWT expires", aged(100, life), { waitMs: 740_000 }, cookies],
    ["after 3/4 of a short life", aged(0, { lifeMs: 120_000 }), { waitMs: 90_000 }, cookies],
    ["in a second, if that is over", aged(850, life), { waitMs: 1000 }, cookies],
    ["in a second, if the clock was set back", aged(-1, life), { waitMs: 1000 }, cookies],
    ["after 10 s, to learn the life", aged(4), { waitMs: 6000 }, cookies],
    ["never, for a pair that somebody else has stored", { ...pair, ...life }, { waitMs: NaN }, bearer],
    ["never, after the end", aged(100, { endStatus: 400 }), { waitMs: NaN }, cookies],
    ["never, without a session", {}, { waitMs: NaN }, cookies],
  ])("goes off %s", (_when, stored, alarm, context) => {
    const { state, effects } = reduce(stored, [on.nothing], context);
    expect(state).toBe(stored);
    expect(effects).toMatchObject(alarm);
  });

  test("goes off in 30 s after it failed", () => {
    expect(reduce(aged(850, life), [on.nothing, 30_000]).effects.waitMs).toBe(30_000);
  });
});

describe("what is read", () => {
  const opened = (openedAtMs: number) => aged(1, { openedAtMs });
  const ended = aged(1, { endStatus: 200 });
  test.each<[string, SessionState, SessionState, "end" | "start" | undefined]>([
    ["the end of a known session", aged(9), ended, "end"],
    ["the same end again", ended, ended, undefined],
    ["an end before this page knew of anything", {}, aged(1, { endStatus: 400 }), undefined],
    ["a new pair of the session", aged(9, { openedAtMs: 1 }), opened(1), undefined],
    ["a login, after an end", ended, opened(1), "start"],
    ["the first login", {}, opened(1), "start"],
    ["another login", opened(1), opened(2), "start"],
  ])("%s: %j, then %j: told is %s", (_what, state, stored, told) => {
    const { tell, welcome } = reduce(stored, [on.nothing], cookies, state).effects;
    expect([tell || undefined, welcome]).toEqual([told === "end" ? [] : undefined, told === "start"]);
    expect(reduce(stored, [on.nothing]).effects.welcome).toBe(false);
  });
});

describe("refused", () => {
  const error = (status: number, code: string) => new AuthError(status, { code });
  const refuse = (state: SessionState, cause: unknown, isStale = isFresh) =>
    reduce(state, [on.refused, false, isStale, cause]);

  test.each([
    ["token_expired", 400],
    ["invalid_jwt_token", 400],
    ["invalid_refresh_token", 400],
    ["missing_credentials", 401],
    ["session_key_required", 403],
    ["device_proof_required", 403],
  ])("%s ends the session, and keeps the keys for the next login", (code, status) => {
    const cause = error(status, code);
    const { state, effects } = refuse(aged(600, { ...life, ...keys }), cause);
    expect(state).toEqual({ ...keys, decidedAtMs: nowMs, endStatus: status });
    expect(effects).toMatchObject({ save: state, tell: [cause], result: cause });
  });

  test.each([
    ...[429, 500, 502, 503, 504].map((status) => error(status, `http_${status}`)),
    error(0, "network_error"),
    error(400, "invalid_idempotency_key"),
    error(403, "cross_site_request"),
    error(401, "second_factor_required"),
    new Error("the store is full"),
  ])("$message does not", (cause) => {
    const state = aged(600, life);
    const { state: next, effects } = refuse(state, cause);
    expect([next, effects.save, effects.tell, effects.reject]).toEqual([state, undefined, undefined, cause]);
  });

  test.each<[string, SessionState, number, boolean]>([
    ["a cookie that nothing was known of", {}, 400, true],
    ["no cookie, and nothing was known", {}, 401, false],
    ["a session that had ended", aged(600, { endStatus: 400 }), 400, false],
  ])("%s: %j, then a %i: told is %j", (_what, state, status, isTold) => {
    const cause = error(status, status === 400 ? "token_expired" : "missing_credentials");
    expect(refuse(state, cause).effects).toMatchObject({ result: cause, tell: isTold && [cause] });
  });

  test("late, after another tab has renewed or logged in, changes nothing", () => {
    const state = aged(1);
    for (const cause of [error(400, "token_expired"), error(0, "network_error")])
      expect(refuse(state, cause, isStale)).toEqual(reduce(state, [() => ({ reject: false })]));
  });

  const trouble = error(0, "network_error");
  const lost = { code: "password_changed" };
  test.each<[string, AuthError, string]>([
    ["the session had ended", error(401, "invalid_token"), "invalid_token"],
    [
      "after a try whose answer was lost",
      Object.assign(error(401, "invalid_token"), { cause: trouble }),
      "password_changed",
    ],
  ])("what goes out with the session, because %s, ends it", (_why, cause, code) => {
    const state = aged(600, { ...life, ...keys });
    const { effects } = reduce(state, [on.refused, lost, isFresh, cause]);
    // The JWT lives on: what it opens brings nothing back.
    expect(effects.save).toMatchObject({ endStatus: 400, sessionKey: "session key" });
    expect(effects.reject).toMatchObject({ status: 401, code });
    expect(effects.tell).toEqual([effects.reject]);
    expect(reduce(state, [on.refused, lost, isStale, cause]).effects).toMatchObject({ reject: cause });
  });
});

describe("login and logout", () => {
  const body = { ...newPair, expiresIn: 900 };
  const open = (kept: SessionState, context = cookies, answer: unknown = body) =>
    reduce(aged(600, pair), [on.opened, kept, isFresh, answer], context);

  test("a browser's state never holds a token; the key of the next refresh is stored with it", () => {
    const { state, effects } = open({ key: "k", ...life });
    expect(state).toEqual({ previousKey: "k", key: "new key", decidedAtMs: nowMs, ...life });
    expect([effects.save, effects.result]).toEqual([state, body]);
  });

  test.each<[string, SessionState, boolean, SessionState]>([
    ["those that are stored", keys, true, { key: "old key", sessionKey: "session key" }],
    ["new ones, where none are", {}, true, { key: "new key", sessionKey: "new key" }],
    ["none where nothing lasts: a reload would lose them", {}, false, {}],
  ])("a login sends %s", (_which, before, lasts, sent) => {
    const { effects } = reduce(before, [on.open, "auth/login", {}], { ...cookies, save: () => lasts });
    expect(effects.save).toEqual({ ...before, ...sent });
    expect(effects.post).toEqual(["auth/login", {}, { state: sent, retry: false }]);
    const kept = { ...sent, openedAtMs: nowMs };
    expect(effects.next).toEqual([on.opened, kept]);
  });

  test("what goes out with the session, and opens another, is repeated", () => {
    const state = aged(600, { ...keys, ...pair });
    const lost = { code: "password_changed" };
    const { post, next, orElse } = reduce(state, [on.open, "auth/password", {}, lost], bearer).effects;
    const { previousKey: _, ...sent } = keys;
    expect(post).toEqual(["auth/password", {}, { state: sent, token: pair.token, retry: true }]);
    expect([next?.[0], orElse]).toEqual([on.opened, [on.refused, lost]]);
  });

  test("a bearer client stores its pair, and keeps the old one if there is none", () => {
    expect(open({}, bearer).state).toMatchObject({ ...newPair, ...life });
    const { state, effects } = open({}, bearer, { msg: "Welcome" });
    expect([state, effects.save]).toEqual([aged(600, pair), undefined]);
    expect(effects.reject).toMatchObject({ status: 0, code: "network_error" });
  });

  test.each<[string, SessionState, unknown]>([
    ["the user has logged in", { openedAtMs: 1 }, undefined],
    ["the user has logged out: the newest pair is ended, too", { endStatus: 200 }, ["auth/logout", newPair]],
  ])("a pair that comes when %s is not stored", (_what, state, sent) => {
    const { post, save, result } = reduce(state, [on.opened, {}, isStale, body], bearer).effects;
    expect([post?.slice(0, 2), save, result]).toEqual([sent, undefined, body]);
  });

  test("a login and a logout are stale when the user has logged in or out since, and not when a tab has renewed", () => {
    const state = aged(600, { openedAtMs: 1 });
    for (const event of [[on.open, "auth/login", {}], [on.logout]] as on.SessionEvent[]) {
      const { isStale } = reduce(state, event).effects;
      expect([isStale?.(aged(1, { openedAtMs: 1 })), isStale?.(aged(1, { openedAtMs: 2 }))]).toEqual([
        false,
        true,
      ]);
    }
    expect(reduce(state, [on.closed, 200, [], isStale]).effects.save).toBeUndefined();
    expect(reduce(state, [on.logout, { openedAtMs: 2 }]).effects.post).toBeUndefined();
  });

  test("logout sends the pair, tells nobody here, and drops the keys", () => {
    expect(reduce(aged(1), [on.logout]).effects.save).toBeUndefined();
    const { state, effects } = reduce(aged(1, { ...keys, ...life }), [on.closed, 200]);
    expect([state, effects.tell]).toEqual([
      { openedAtMs: -nowMs, decidedAtMs: nowMs, endStatus: 200 },
      undefined,
    ]);
  });

  test("a bearer client's logout forgets the pair before it sends it; without one it sends nothing", () => {
    const { state, effects } = reduce(aged(1, pair), [on.logout], bearer);
    expect([state.token, effects.save, effects.post?.[1]]).toEqual([undefined, state, pair]);
    const none = reduce({}, [on.logout], bearer);
    expect([none.effects.post, none.state.endStatus]).toEqual([undefined, 200]);
  });
});

describe("doubted", () => {
  const opened = aged(9, { openedAtMs: 1 });
  test.each<[string, string | undefined, SessionState, string, boolean]>([
    ["the one that was stored", "late", { sid: "own" }, "own", false],
    ["another than was stored", "late", { sid: "own" }, "third", true],
    ["that of the late answer", "late", {}, "late", true],
    ["another than that, and none is stored", "late", {}, "own", false],
    ["and neither is known", undefined, {}, "own", true],
  ])("a cookie of %s: late %j, stored %j, told %j", (_what, late, known, told, isEnded) => {
    const state = { ...opened, ...known };
    const { post, next } = reduce(state, [on.doubted, state, late, told]).effects;
    expect([post?.[0], next]).toEqual(isEnded ? ["auth/logout", [on.closed, 200, []]] : []);
    const since = { ...state, openedAtMs: 2 };
    expect(reduce(since, [on.doubted, state, late, told]).effects.post).toBeUndefined();
  });

  test.each([
    [aged(1), []],
    [aged(1, { endStatus: 400 }), undefined],
  ])("the end of %j is told once", (state, told) => {
    expect(reduce(state, [on.closed, 200, [], isFresh]).effects.tell || undefined).toEqual(told);
  });
});

describe("learn", () => {
  const claims = { sid: "s", iat: 1000, exp: 1900 };
  const known = { ...life, sid: "s", decidedAtMs: nowMs - 9000 };
  test.each<[string, SessionState, SessionState | undefined, unknown?]>([
    ["the life of a pair", aged(9), known],
    ["the same again", known, undefined],
    ["a life, but no other session", aged(9, { sid: "t" }), { ...known, sid: "t" }],
    ["not from a response to the pair before", aged(9, { lifeMs: 1 }), undefined, 1],
    ["a session that the server opened", {}, { ...known, decidedAtMs: nowMs }],
    ["one that it opened after a logout", aged(9, { endStatus: 200 }), { ...known, decidedAtMs: nowMs }],
    ["not one that was ended meanwhile", aged(0, { endStatus: 200 }), undefined, nowMs - 9000],
    ["not an ended one whose last JWT lives", aged(900, { endStatus: 400 }), undefined],
    ["nor one that has another's Session-Key", aged(900, { endStatus: 403 }), undefined],
    ["a new one, when that JWT is dead", aged(901, { endStatus: 400 }), { ...known, decidedAtMs: nowMs }],
  ])("%s", (_what, state, saved, seen = stamp(state)) => {
    expect(reduce(state, [on.learn, seen, claims]).effects.save).toEqual(saved);
  });
});
