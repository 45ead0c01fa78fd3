import { expect, test } from "@jest/globals";
import { findRearmAge, maxRearms } from "../../lib/sessions/rotation.ts";
import { type Exploration, explore } from "./explore.ts";
import { createActions, type Scope } from "./rotation/actions.ts";
import { createNextStep } from "./rotation/use-case.ts";
import { canonical, type World, worldText } from "./rotation/world.ts";

/**
 * Every schedule of refreshes, repeats, a thief, a logout and late or repeated writes, up to a number of events, over
 * the real use cases and the conditions of the sessions table. A request is sent, starts, reaches the table and is
 * answered at any time within its 12 s, or never.
 */
const refreshTokenTtlSeconds = 7200;

const more = process.env.LONG ? 1 : 0;

/** One browser, several tabs, one key, nobody else. */
const honest: Scope = {
  ...{ keyed: true, keys: "one", browserWaitsSeconds: 0, thiefKeys: [], hasLogout: false },
  ...{ jumps: [12, 16, 31], underWaySeconds: 12 },
};
const patient: Scope = { ...honest, keys: "random", browserWaitsSeconds: 60 };
const keyed: Scope = {
  ...honest,
  keys: "random",
  thiefKeys: ["the thief's"],
  hasLogout: true,
  jumps: [12, 31],
};
const unkeyed: Scope = { ...keyed, keyed: false, keys: "none", thiefKeys: [null], jumps: [5, 31] };
const bound: Scope = { ...keyed, sessionKey: "the browser's", thiefKeys: ["copied", "the thief's"] };

/** A browser signs for itself: no key of a client goes along. */
const deviceBound: Scope = { ...bound, isDeviceBound: true, keys: "none", thiefKeys: [null, "the thief's"] };

/** Where a rotation can be put off once, its pair comes with two JWTs; the third is of the next rotation. */
const repeating: Scope = { ...patient, thiefKeys: ["copied"], jumps: [61], foundAfter: 3 };

interface Settings {
  windowSeconds?: number;
  intervalSeconds?: number;
  rearmAfterSeconds?: number;
  rearms?: number;
}

function exploreScope(scope: Scope, depth: number, settings: Settings = {}): Promise<Exploration> {
  const { windowSeconds = 10, intervalSeconds = 30 } = settings;
  const { keyed, keys, sessionKey, isDeviceBound = false } = scope;
  const { rearmAfterSeconds = findRearmAge(intervalSeconds), rearms = maxRearms } = settings;
  const nextStep = createNextStep({
    ...{ refreshWindowSeconds: windowSeconds, refreshMinIntervalSeconds: intervalSeconds },
    ...{ rearmAfterSeconds, maxRearms: rearms, refreshTokenTtlSeconds, isDeviceBound },
  });
  const storage =
    keys !== "none"
      ? { key: "key 2", previous: "key 1", chosenAt: -60 }
      : { key: null, previous: null, chosenAt: -60 };
  const start: World = {
    item: {
      ...{ sessionId: "session", tokenHash: "0#0", keyed, expiresAt: refreshTokenTtlSeconds },
      ...(keyed && { rotationKeyHash: "key 1" }),
      ...(sessionKey !== undefined && { [isDeviceBound ? "deviceKey" : "sessionKeyHash"]: sessionKey }),
    },
    ...{
      jar: { token: "0#0", rotatedAt: null },
      ...{ onDisk: null, wasKilled: false },
      storage,
      stolen: [],
      requests: [],
      copies: [],
    },
    ...{ stolenKeys: { key: null, previous: null }, salts: 3 },
    ...{ isAheadOfTheft: { browser: false, thief: false }, given: 0, isGiven: false },
    isLogoutAnswered: false,
  };
  return explore({ start, listActions: createActions(scope, nextStep), textOf: worldText, canonical }, depth);
}

const held: [name: string, depth: number, scope: Scope, settings?: Settings][] = [
  ["tabs of one browser with one key never lose the session, whenever they refresh", 7, honest],
  ["the same with random keys, one a minute", 7, { ...honest, keys: "random" }],
  ["tabs with random keys that leave a fresh pair alone for 60 s never lose it", 8, patient],
  ["nor if the browser is killed, and its cookie jar goes back", 7, { ...patient, canBeKilled: true }],
  ["keyed session, thief without the key, logout", 6, keyed],
  ["keyed session, window 0", 5, keyed, { windowSeconds: 0 }],
  ["keyed session, thief with the keys", 6, { ...keyed, thiefKeys: ["copied", "the thief's"] }],
  ["keyed session, thief who may send no key", 5, { ...keyed, thiefKeys: [null, "the thief's"] }],
  ["keyed session, thief who only repeats what it copied: found", 9, repeating, { rearms: 1 }],
  ["keyed session, its time runs out", 5, { ...keyed, jumps: [12, 3600] }],
  ["session with a Session-Key, thief of cookie and keys but that one", 5, bound],
  ["session that is bound to its browser, thief of the whole cookie jar, logout", 6, deviceBound],
  ["the same, its time runs out", 5, { ...deviceBound, jumps: [12, 3600] }],
  ["unkeyed session, window 10, thief, logout", 6, unkeyed],
  ["unkeyed session, window 0", 5, unkeyed, { windowSeconds: 0 }],
  ["unkeyed session whose client sends keys all the same", 5, { ...unkeyed, keys: "random" }],
  ["unkeyed session, its time runs out", 5, { ...unkeyed, jumps: [12, 3600] }],
];

// The default tells Jest that the last argument is not its `done`.
test.each(held)("every invariant holds: %s", async (name, depth, scope, settings = {}) => {
  const { violation, worlds, transitions } = await exploreScope(scope, depth + more, settings);
  process.stdout.write(`${name}: ${worlds} worlds, ${transitions} transitions, ${depth + more} events\n`);
  expect(violation && [violation.error.message, ...violation.schedule].join("\n")).toBeUndefined();
  expect(transitions).toBeGreaterThan(10_000);
});

// A proven repeat of age R does not re-arm; its answer may come 12 s later, and a tab's request with the old pair, sent
// just before, another 12 s later: by then the successor must not have been rotated away. So R <= interval - 25.
test.each([
  [28, 3, true],
  [25, 0, true],
  [40, 15, true],
  [29, 5, false],
  [30, 6, false],
  [24, 0, false],
  [40, 16, false],
])(
  "minimum interval %i s, re-armed after %i s: honest tabs keep their session: %s",
  async (interval, age, isHeld) => {
    const scope = { ...honest, jumps: [...new Set([age || 12, 12, interval + 1])] };
    const settings = { intervalSeconds: interval, rearmAfterSeconds: age };
    const { violation } = await exploreScope(scope, 7, settings);
    expect(violation?.error.message.split(":")[0]).toBe(isHeld ? undefined : "honestKeepsSession");
  },
);
