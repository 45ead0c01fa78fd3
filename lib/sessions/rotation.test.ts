import { expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  classify,
  findRearmAge,
  type RotationAttempt,
  type RotationSettings,
  type Verdict,
} from "./rotation.ts";
import type { Session } from "./session.ts";

const now = 1_800_000_000;
const settings: RotationSettings = { refreshWindowSeconds: 10, rearmAfterSeconds: 5, maxRearms: 2 };

const fresh: Session = {
  ...{ userId: "user", sessionId: "session", email: "ada@example.com", tokenHash: "current", keyed: false },
  ...{ sessionEpoch: 0, createdAt: now - 1000, expiresAt: now + 1000 },
};
const rotated: Session = {
  ...fresh,
  previousTokenHash: "previous",
  rotationSalt: "salt",
  ...{ rotatedAt: now - 5, rotatedAtMs: (now - 5) * 1000, renewedAtMs: (now - 5) * 1000 },
  rotationKeyHash: "key",
};
const keyed: Session = { ...rotated, keyed: true };
const bound: Session = { ...keyed, sessionKeyHash: "bound" };

const attempt: RotationAttempt = {
  presentedHash: "previous",
  rotationSalt: "ours",
  ...{ keyHash: undefined, previousKeyHash: undefined, sessionKeyHash: undefined },
  nowMs: now * 1000,
};

/** What a verdict says, without the session that it carries along. */
function say(verdict: Verdict): string {
  if (verdict.is !== "repeat") return verdict.is;
  return ["repeat", verdict.proven ? "proven" : "unproven", ...(verdict.rearm ? ["rearm"] : [])].join(" ");
}

const withoutKey = ({ rotationKeyHash: _, ...session }: Session): Session => session;
const ago = (seconds: number, session = rotated): Session => {
  const rotatedAtMs = (now - seconds) * 1000;
  return { ...session, rotatedAt: Math.floor(rotatedAtMs / 1000), rotatedAtMs, renewedAtMs: rotatedAtMs };
};
/** Renewed so long ago, and re-armed now. */
const rearmed = (seconds: number): Session => ({ ...ago(seconds), rotatedAtMs: now * 1000 });
const afterKey = (previousKeyHash: string): Session => ({ ...keyed, previousKeyHash });
const ended = (session: Session, expiresAt = now): Session => ({ ...session, expiresAt });
const damaged = (name: keyof Session) => ({ ...rotated, [name]: undefined }) as unknown as Session;

const current = { presentedHash: "current" };
const spent = { presentedHash: "spent" };
const own = { rotationSalt: "salt" };
const withKey = { keyHash: "key" };
const otherKey = { keyHash: "other" };
const noWindow = { refreshWindowSeconds: 0 };
const withPrevious = { keyHash: "next", previousKeyHash: "key" };
const withSessionKey = { sessionKeyHash: "bound" };

type Row = [
  state: string,
  session: Session | undefined,
  attempt: Partial<RotationAttempt>,
  verdict: string,
  settings?: Partial<RotationSettings>,
];

const rows: Row[] = [
  ["gone", undefined, {}, "over"],

  // Time over, whatever else the item says: DynamoDB deletes late.
  ["expired a second ago", ended(rotated, now - 1), {}, "over"],
  ["expires now", ended(rotated), {}, "over"],
  ["expires in a second", ended(rotated, now + 1), {}, "repeat unproven"],
  ["expired, and the current pair comes", ended(rotated), current, "over"],
  ["expired, and it was our own write", ended(rotated), own, "over"],
  ["expired, and the key proves the repeat", ended(keyed), withKey, "over"],
  ["expired, and a spent pair comes", ended(rotated), spent, "over"],

  // Our own write.
  ["our own write", rotated, own, "own-write"],
  ["our own write, window 0", rotated, own, "own-write", noWindow],
  ["our own write, keyed, without its key", keyed, own, "own-write"],
  ["our own write, long ago", ago(900), own, "own-write"],

  ["current pair", rotated, current, "current"],
  ["current pair, keyed", keyed, current, "current"],
  ["current pair, keyed, another key", keyed, { ...current, ...otherKey }, "current"],
  ["current pair of a session never rotated", fresh, current, "current"],
  ["current pair, older than the interval (another sandbox has waited)", ago(900), current, "current"],

  // The predecessor with its key, keyed or not: from R on it re-arms.
  ["key, at once", ago(0, keyed), withKey, "repeat proven"],
  ["key, after 5 s", ago(5, keyed), withKey, "repeat proven"],
  ["key, after 5.001 s", ago(5.001, keyed), withKey, "repeat proven rearm"],
  ["key, after a day", ago(86_400, keyed), withKey, "repeat proven rearm"],
  ["key, re-armed once since", { ...ago(6, keyed), rearms: 1 }, withKey, "repeat proven rearm"],
  ["key, re-armed as often as may be", { ...ago(900, keyed), rearms: 2 }, withKey, "repeat proven"],
  ["key, R = 0, at once", ago(0, keyed), withKey, "repeat proven", { rearmAfterSeconds: 0 }],
  ["key, R = 0, 1 ms", ago(0.001, keyed), withKey, "repeat proven rearm", { rearmAfterSeconds: 0 }],
  ["key, rotated by a clock ahead of ours", ago(-7, keyed), withKey, "repeat proven"],
  ["key in an unkeyed session, after an hour", ago(3_600), withKey, "repeat proven rearm"],
  ["key, window 0", ago(3, keyed), withKey, "repeat proven", noWindow],
  ["the key before this one", keyed, withPrevious, "repeat proven"],
  ["the key before, and the rotation before had another", afterKey("first"), withPrevious, "repeat proven"],
  ["the key before, of two rotations in a row", afterKey("key"), withPrevious, "replay"],
  ["the key of two rotations in a row, again", afterKey("key"), withKey, "repeat proven"],
  ["the key before is another", keyed, { ...withPrevious, previousKeyHash: "other" }, "replay"],

  // A session with a Session-Key: without it nothing is learnt and nothing ended.
  ["Session-Key", bound, { ...withKey, ...withSessionKey }, "repeat proven"],
  ["Session-Key, current pair", bound, { ...current, ...withSessionKey }, "current"],
  ["Session-Key missing", bound, withKey, "key-missing"],
  ["Session-Key missing, current pair", bound, current, "key-missing"],
  ["Session-Key missing, spent pair", bound, spent, "key-missing"],
  ["another Session-Key", bound, { ...withKey, sessionKeyHash: "other" }, "key-missing"],
  ["Session-Key missing, session over", ended(bound), withKey, "over"],
  ["Session-Key for a session without one", keyed, { ...withKey, ...withSessionKey }, "repeat proven"],

  // Keyed and not proven: no window helps.
  ["keyed, no key", ago(0, keyed), {}, "replay"],
  ["keyed, wrong key", ago(0, keyed), otherKey, "replay"],
  ["keyed, a key of another length", ago(0, keyed), { keyHash: "key and more" }, "replay"],
  ["keyed, key, but the rotation came without one", withoutKey(keyed), withKey, "replay"],
  ["keyed, no key on either side", withoutKey(keyed), {}, "replay"],

  // Unkeyed: the window, its end excluded.
  ["unkeyed, at once", ago(0), {}, "repeat unproven"],
  ["unkeyed, after 9.999 s", ago(9.999), {}, "repeat unproven"],
  ["unkeyed, after 10 s, re-armed since", rearmed(10), {}, "replay"],
  ["unkeyed, after 9 s, re-armed since", rearmed(9), {}, "repeat unproven"],
  ["unkeyed, after 10 s", ago(10), {}, "replay"],
  ["unkeyed, after an hour", ago(3_600), {}, "replay"],
  ["unkeyed, clock ahead of ours", ago(-7), {}, "repeat unproven"],
  ["unkeyed, wrong key, after 9 s", ago(9), otherKey, "repeat unproven"],
  ["unkeyed, wrong key, after 10 s", ago(10), otherKey, "replay"],
  ["unkeyed, a key after a rotation without one", withoutKey(ago(9)), withKey, "repeat unproven"],
  ["unkeyed, window 0, at once", ago(0), {}, "replay", noWindow],
  ["unkeyed, window 0, clock ahead of ours", ago(-7), {}, "replay", noWindow],
  ["unkeyed, window as long as the interval", ago(29), {}, "repeat unproven", { refreshWindowSeconds: 30 }],

  // Everything else was ours once and is spent.
  ["older than the predecessor", rotated, spent, "replay"],
  ["older than the predecessor, with the key", ago(0, keyed), { ...spent, ...withKey }, "replay"],
  ["damaged: the predecessor without the salt of its successor", damaged("rotationSalt"), {}, "replay"],
  ["damaged: the predecessor without the time of its rotation", damaged("rotatedAtMs"), {}, "replay"],
  ["unknown, never rotated", fresh, spent, "replay"],
  ["a hash that only begins like the current one", rotated, { presentedHash: "curren" }, "replay"],
];

test.each(rows)("%s", (_, session, changes, verdict, others = {}) => {
  const found = classify(session, { ...attempt, ...changes }, { ...settings, ...others });
  expect(say(found)).toBe(verdict);
  if ("session" in found) expect(found.session).toBe(session);
});

// The table of edges that tests/models/rotation.test.ts explores.
test.each([
  [30, 5],
  [28, 3],
  [25, 0],
  [24, 0],
  [13, 0],
  [40, 15],
  [60, 30],
  [1_000, 500],
])("a minimum interval of %i s re-arms after %i s", (interval, age) => {
  expect(findRearmAge(interval)).toBe(age);
});

const hash = fc.constantFrom("a", "b", "c", "");
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const time = fc.oneof(fc.integer({ min: (now - 60) * 1000, max: (now + 60) * 1000 }), fc.integer());
const anySession = fc.record({
  ...{ userId: fc.string(), sessionId: fc.string(), email: fc.string(), tokenHash: hash },
  ...{ previousTokenHash: optional(hash), rotationSalt: optional(hash), rotatedAtMs: optional(time) },
  ...{ renewedAtMs: optional(time), previousKeyHash: optional(hash), sessionKeyHash: optional(hash) },
  ...{ rotationKeyHash: optional(hash), keyed: fc.boolean(), rearms: optional(fc.nat(3)) },
  expiresAt: fc.integer({ min: now - 60, max: now + 60 }),
}) as fc.Arbitrary<Session>;
const anyAttempt = fc.record({
  ...{ presentedHash: hash, rotationSalt: hash, keyHash: optional(hash), previousKeyHash: optional(hash) },
  ...{ sessionKeyHash: optional(hash), nowMs: time },
});
const anySettings = fc.record({
  refreshWindowSeconds: fc.integer({ min: 0, max: 60 }),
  rearmAfterSeconds: fc.integer({ min: 0, max: 3600 }),
  maxRearms: fc.nat(3),
});

test("every item gets a verdict, always the same, and is not changed; only a pair that it knows gets an answer while it lives", () => {
  fc.assert(
    fc.property(optional(anySession), anyAttempt, anySettings, (session, given, chosen) => {
      const before = structuredClone(session);
      const verdict = classify(session, given, chosen);
      expect(classify(session, given, chosen)).toEqual(verdict);
      expect(session).toEqual(before);
      expect(["over", "key-missing", "own-write", "current", "repeat", "replay"]).toContain(verdict.is);
      if (!("session" in verdict)) return;
      expect(verdict.session.expiresAt * 1000).toBeGreaterThan(given.nowMs);
      const known = [session?.tokenHash, session?.previousTokenHash];
      if (verdict.is !== "own-write") expect(known).toContain(given.presentedHash);
      if (verdict.is !== "repeat" || !session?.keyed) return;
      expect(verdict.proven).toBe(true);
      expect([given.keyHash, given.previousKeyHash]).toContain(session.rotationKeyHash);
    }),
  );
});
