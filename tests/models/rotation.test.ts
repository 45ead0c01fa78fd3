import { expect, test } from "@jest/globals";
import { createActions, type Scope } from "./rotation/actions.ts";
import { type Exploration, explore } from "./rotation/explore.ts";
import { createNextStep } from "./rotation/use-case.ts";
import type { World } from "./rotation/world.ts";

/**
 * Every schedule of refreshes, repeats, a thief, a logout and late or repeated writes, up to a number of events, over
 * the real use cases and the conditions of the sessions table. A request is sent, starts, reaches the table and is
 * answered at any time within its 12 s, or never.
 */
const lifetimes = { refreshMinIntervalSeconds: 30, refreshTokenTtlSeconds: 7200 };

const more = process.env.LONG ? 1 : 0;

/** One browser, several tabs, one key, nobody else. */
const honest: Scope = {
  ...{ keyed: true, browserKey: "the browser's", browserWaitsSeconds: 0, thiefKeys: [], hasLogout: false },
  ...{ jumps: [12, 16, 31], underWaySeconds: 12 },
};
const patient: Scope = { ...honest, browserWaitsSeconds: 60 };
const quick: Scope = { ...honest, jumps: [7, 15, 31], underWaySeconds: 7 };
const keyed: Scope = { ...honest, thiefKeys: ["the thief's"], hasLogout: true, jumps: [12, 31] };
const unkeyed: Scope = { ...keyed, keyed: false, browserKey: null, thiefKeys: [null], jumps: [5, 31] };

function exploreScope(scope: Scope, depth: number, windowSeconds = 10): Promise<Exploration> {
  const nextStep = createNextStep({ ...lifetimes, refreshWindowSeconds: windowSeconds });
  const { refreshTokenTtlSeconds: expiresAt } = lifetimes;
  const start: World = {
    item: { sessionId: "session", tokenHash: "0#0", keyed: scope.keyed, expiresAt },
    ...{ jar: { token: "0#0", rotatedAt: null }, stolen: [], requests: [], copies: [], salts: 1 },
    ...{ isAheadOfTheft: { browser: false, thief: false }, isLogoutAnswered: false },
  };
  return explore(start, createActions(scope, nextStep), depth);
}

const held: [name: string, depth: number, scope: Scope, windowSeconds?: number][] = [
  [
    "tabs of one browser with its key that leave a fresh pair alone for 60 s never lose the session",
    8,
    patient,
  ],
  ["tabs that refresh at any time never lose it if no request takes longer than 7 s", 7, quick],
  ["keyed session, thief without the key, logout", 6, keyed],
  ["keyed session, window 0", 5, keyed, 0],
  ["keyed session, thief with the key", 6, { ...keyed, thiefKeys: [honest.browserKey] }],
  ["keyed session, thief who may send no key", 5, { ...keyed, thiefKeys: [null, "the thief's"] }],
  ["keyed session, its time runs out", 5, { ...keyed, jumps: [12, 3600] }],
  ["unkeyed session, window 10, thief, logout", 6, unkeyed],
  ["unkeyed session, window 0", 5, unkeyed, 0],
  ["unkeyed session whose client sends a key all the same", 5, { ...unkeyed, browserKey: honest.browserKey }],
  ["unkeyed session, its time runs out", 5, { ...unkeyed, jumps: [12, 3600] }],
];

// The default tells Jest that the last argument is not its `done`.
test.each(held)("every invariant holds: %s", async (name, depth, scope, windowSeconds = 10) => {
  const { violation, worlds, transitions } = await exploreScope(scope, depth + more, windowSeconds);
  process.stdout.write(`${name}: ${worlds} worlds, ${transitions} transitions, ${depth + more} events\n`);
  expect(violation && [violation.error.message, ...violation.schedule].join("\n")).toBeUndefined();
  expect(transitions).toBeGreaterThan(10_000);
});

// A proven repeat of at most half the interval does not re-arm; its answer may come 12 s later, and a tab's request
// with the old pair, sent just before, another 12 s later: by then the successor may have been rotated away.
test("known limit: a tab that refreshes a pair younger than the interval can overtake a request 12 s under way", async () => {
  const { violation } = await exploreScope({ ...honest, jumps: [12] }, 7);
  expect(violation?.error.message).toMatch(/^honestKeepsSession/);
});
