import { expect, test } from "@jest/globals";
import type { Scope } from "./rotation/actions.ts";
import { exploreScope, honest, type Settings } from "./rotation/explore-scope.ts";

const more = process.env.LONG ? 1 : 0;

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
