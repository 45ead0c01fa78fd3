import { type RotatedSession, classify as real, type Verdict } from "../../../lib/sessions/rotation.ts";
import type { Scope } from "./actions.ts";
import type { InvariantName } from "./invariants.ts";
import { rearmed, rotated, type Table } from "./table.ts";

/** A mistake to plant into the table or the classification, and the invariant that it breaks. */
interface Mistake {
  name: string;
  invariant: InvariantName;
  scope: { base: "honest" | "eager" | "keyed" | "unkeyed"; with?: Partial<Scope> };
  depth: number;
  windowSeconds?: number;
  table?: Partial<Table>;
  classify?: typeof real;
}

const repeated = (verdict: Verdict, change: { rearm: boolean }): Verdict =>
  verdict.is === "repeat" && verdict.proven ? { ...verdict, ...change } : verdict;

const empty = { previous: null, salt: null, rotatedAt: null, key: null, keyed: false };

/** Each must be found: a model that cannot fail shows nothing. */
export const mistakes: Mistake[] = [
  {
    name: "rotate is an upsert without any condition",
    invariant: "noRevival",
    scope: { base: "keyed" },
    depth: 3,
    table: {
      rotate: (item, call) => rotated(item ?? { ...empty, token: call.successor, expiresAt: 0 }, call),
    },
  },
  {
    name: "rotate asks only that the item exists",
    invariant: "oneChain",
    scope: { base: "keyed" },
    depth: 3,
    table: { rotate: (item, call) => (item && item.expiresAt > call.now ? rotated(item, call) : null) },
  },
  {
    name: "rotate accepts the predecessor too, with a new token for each racer",
    invariant: "oneChain",
    scope: { base: "unkeyed" },
    depth: 3,
    table: {
      rotate: (item, call) =>
        item && [item.token, item.previous].includes(call.presented) && item.expiresAt > call.now
          ? rotated(item, call)
          : null,
    },
  },
  {
    name: "rotate does not look at expiresAt",
    invariant: "noRevival",
    scope: { base: "keyed", with: { jumps: [3600] } },
    depth: 3,
    table: {
      rotate: (item, call) =>
        item?.token === call.presented && (item.rotatedAt ?? -Infinity) <= call.notRotatedSince
          ? rotated(item, call)
          : null,
    },
  },
  {
    name: "rotate has no minimum interval",
    invariant: "honestKeepsSession",
    scope: { base: "eager" },
    depth: 5,
    table: {
      rotate: (item, call) =>
        item?.token === call.presented && item.expiresAt > call.now ? rotated(item, call) : null,
    },
  },
  {
    name: "rearm is an upsert without any condition",
    invariant: "noRevival",
    scope: { base: "keyed", with: { jumps: [16] } },
    depth: 5,
    table: {
      rearm: (item, call) => rearmed(item ?? { ...empty, token: call.token, expiresAt: 0 }, call),
    },
  },
  {
    name: "rearm asks only that the item exists",
    invariant: "oneChain",
    scope: { base: "honest" },
    depth: 5,
    table: { rearm: (item, call) => item && rearmed(item, call) },
  },
  {
    name: "a failed condition is reported without the item",
    invariant: "notRefusedWhileLiving",
    scope: { base: "honest" },
    depth: 2,
    classify: () => ({ is: "over" }),
  },
  {
    name: "a replay is refused but the session not ended",
    invariant: "notRefusedWhileLiving",
    scope: { base: "keyed" },
    depth: 4,
    classify(...given) {
      const verdict = real(...given);
      return verdict.is === "replay" ? { is: "over" } : verdict;
    },
  },
  {
    name: "the row of expired sessions is missing",
    invariant: "noExpired",
    scope: { base: "keyed", with: { jumps: [3600] } },
    depth: 3,
    classify: (session, attempt, settings) =>
      real(session && { ...session, expiresAt: Number.MAX_SAFE_INTEGER }, attempt, settings),
  },
  {
    name: "the row of one's own write is missing",
    invariant: "provenRepeat",
    scope: { base: "unkeyed" },
    depth: 2,
    windowSeconds: 0,
    classify: (session, attempt, settings) => real(session, { ...attempt, rotationSalt: "" }, settings),
  },
  {
    name: "the row of the current pair is missing",
    invariant: "provenRepeat",
    scope: { base: "eager" },
    depth: 3,
    classify(session, attempt, settings) {
      const verdict = real(session, attempt, settings);
      return verdict.is === "current" ? { is: "replay" } : verdict;
    },
  },
  {
    name: "a keyed session has a window too",
    invariant: "thiefOrVictim",
    scope: { base: "keyed" },
    depth: 4,
    classify: (session, attempt, settings) =>
      real(session && { ...session, keyed: false }, attempt, settings),
  },
  {
    name: "any key proves a repeat",
    invariant: "thiefOrVictim",
    scope: { base: "keyed" },
    depth: 4,
    classify(session, attempt, settings) {
      const key = session?.rotationKeyHash;
      return real(session, attempt.keyHash && key ? { ...attempt, keyHash: key } : attempt, settings);
    },
  },
  {
    name: "the predecessor counts as current",
    invariant: "currentPair",
    scope: { base: "honest" },
    depth: 3,
    classify(session, attempt, settings) {
      const verdict = real(session, attempt, settings);
      return verdict.is === "repeat" ? { is: "current", session: verdict.session } : verdict;
    },
  },
  {
    name: "the window is dropped: an unkeyed predecessor is always refused",
    invariant: "provenRepeat",
    scope: { base: "unkeyed", with: { browserKey: "the browser's" } },
    depth: 3,
    classify: (session, attempt, settings) =>
      real(session, { ...attempt, keyHash: undefined }, { ...settings, refreshWindowSeconds: 0 }),
  },
  {
    name: "any spent pair gets the current one",
    invariant: "noGrandparent",
    scope: { base: "keyed", with: { thiefKeys: ["the browser's"], jumps: [31] } },
    depth: 6,
    classify(session, attempt, settings) {
      const verdict = real(session, attempt, settings);
      return verdict.is === "replay" && session
        ? { is: "repeat", session: session as RotatedSession, proven: true, rearm: false }
        : verdict;
    },
  },
  {
    name: "a late proven repeat does not re-arm",
    invariant: "honestKeepsSession",
    scope: { base: "eager", with: { underWaySeconds: 7, jumps: [7, 31] } },
    depth: 7,
    classify: (...given) => repeated(real(...given), { rearm: false }),
  },
  {
    name: "a proven repeat re-arms only after the whole interval",
    invariant: "honestKeepsSession",
    scope: { base: "eager", with: { underWaySeconds: 7, jumps: [7, 15, 31] } },
    depth: 7,
    classify(...given) {
      const [session, attempt, settings] = given;
      const age = attempt.now - (session?.rotatedAt ?? attempt.now);
      return repeated(real(...given), { rearm: age > settings.refreshMinIntervalSeconds });
    },
  },
];
