import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { classify, type RotationAttempt, type RotationSettings, type Verdict } from "./rotation.ts";
import type { Session } from "./session.ts";

const now = 1_800_000_000;
const settings: RotationSettings = { refreshWindowSeconds: 10, refreshMinIntervalSeconds: 30 };

const fresh: Session = {
  userId: "user",
  sessionId: "session",
  email: "ada@example.com",
  tokenHash: "current",
  keyed: false,
  createdAt: now - 1000,
  expiresAt: now + 1000,
};
const rotated: Session = {
  ...fresh,
  previousTokenHash: "previous",
  rotationSalt: "salt",
  rotatedAt: now - 5,
  rotationKeyHash: "key",
};
const keyed: Session = { ...rotated, keyed: true };

const attempt: RotationAttempt = {
  presentedHash: "previous",
  rotationSalt: "ours",
  keyHash: undefined,
  now,
};

/** What a verdict says, without the session that it carries along. */
function say(verdict: Verdict): string {
  if (verdict.is !== "repeat") return verdict.is;
  return ["repeat", verdict.proven ? "proven" : "unproven", ...(verdict.rearm ? ["rearm"] : [])].join(" ");
}

interface Row {
  state: string;
  session: Session | undefined;
  with?: Partial<RotationAttempt>;
  settings?: Partial<RotationSettings>;
  verdict: string;
}

const withoutKey = ({ rotationKeyHash: _, ...session }: Session): Session => session;
const rotatedAgo = (seconds: number, session = rotated): Session => ({
  ...session,
  rotatedAt: now - seconds,
});

const rows: Row[] = [
  { state: "gone", session: undefined, verdict: "over" },

  // Time over, whatever else the item says: DynamoDB deletes late.
  { state: "expired a second ago", session: { ...rotated, expiresAt: now - 1 }, verdict: "over" },
  { state: "expires now", session: { ...rotated, expiresAt: now }, verdict: "over" },
  { state: "expires in a second", session: { ...rotated, expiresAt: now + 1 }, verdict: "repeat unproven" },
  {
    state: "expired, and the current pair comes",
    session: { ...rotated, expiresAt: now },
    with: { presentedHash: "current" },
    verdict: "over",
  },
  {
    state: "expired, and it was our own write",
    session: { ...rotated, expiresAt: now },
    with: { rotationSalt: "salt" },
    verdict: "over",
  },
  {
    state: "expired, and the key proves the repeat",
    session: { ...keyed, expiresAt: now },
    with: { keyHash: "key" },
    verdict: "over",
  },
  {
    state: "expired, and a spent pair comes",
    session: { ...rotated, expiresAt: now },
    with: { presentedHash: "spent" },
    verdict: "over",
  },

  // Our own write.
  { state: "our own write", session: rotated, with: { rotationSalt: "salt" }, verdict: "own-write" },
  {
    state: "our own write, window 0",
    session: rotated,
    with: { rotationSalt: "salt" },
    settings: { refreshWindowSeconds: 0 },
    verdict: "own-write",
  },
  {
    state: "our own write, keyed, without its key",
    session: keyed,
    with: { rotationSalt: "salt" },
    verdict: "own-write",
  },
  {
    state: "our own write, long ago",
    session: rotatedAgo(900),
    with: { rotationSalt: "salt" },
    verdict: "own-write",
  },

  // The current pair.
  { state: "current pair", session: rotated, with: { presentedHash: "current" }, verdict: "current" },
  { state: "current pair, keyed", session: keyed, with: { presentedHash: "current" }, verdict: "current" },
  {
    state: "current pair, keyed, another key",
    session: keyed,
    with: { presentedHash: "current", keyHash: "other" },
    verdict: "current",
  },
  {
    state: "current pair of a session never rotated",
    session: fresh,
    with: { presentedHash: "current" },
    verdict: "current",
  },
  {
    state: "current pair, older than the interval (another sandbox has waited)",
    session: rotatedAgo(900),
    with: { presentedHash: "current" },
    verdict: "current",
  },

  // The predecessor with its key, keyed or not: at most half the interval, then re-armed.
  {
    state: "key, at once",
    session: rotatedAgo(0, keyed),
    with: { keyHash: "key" },
    verdict: "repeat proven",
  },
  {
    state: "key, after 15 s",
    session: rotatedAgo(15, keyed),
    with: { keyHash: "key" },
    verdict: "repeat proven",
  },
  {
    state: "key, after 16 s",
    session: rotatedAgo(16, keyed),
    with: { keyHash: "key" },
    verdict: "repeat proven rearm",
  },
  {
    state: "key, after a day",
    session: rotatedAgo(86_400, keyed),
    with: { keyHash: "key" },
    verdict: "repeat proven rearm",
  },
  {
    state: "key, odd interval: 15 s of 31",
    session: rotatedAgo(15, keyed),
    with: { keyHash: "key" },
    settings: { refreshMinIntervalSeconds: 31 },
    verdict: "repeat proven",
  },
  {
    state: "key, odd interval: 16 s of 31",
    session: rotatedAgo(16, keyed),
    with: { keyHash: "key" },
    settings: { refreshMinIntervalSeconds: 31 },
    verdict: "repeat proven rearm",
  },
  {
    state: "key, rotated by a clock ahead of ours",
    session: rotatedAgo(-7, keyed),
    with: { keyHash: "key" },
    verdict: "repeat proven",
  },
  {
    state: "key in an unkeyed session, after an hour",
    session: rotatedAgo(3600),
    with: { keyHash: "key" },
    verdict: "repeat proven rearm",
  },
  {
    state: "key, window 0",
    session: rotatedAgo(3, keyed),
    with: { keyHash: "key" },
    settings: { refreshWindowSeconds: 0 },
    verdict: "repeat proven",
  },

  // Keyed and not proven: no window helps.
  { state: "keyed, no key", session: rotatedAgo(0, keyed), verdict: "replay" },
  { state: "keyed, wrong key", session: rotatedAgo(0, keyed), with: { keyHash: "other" }, verdict: "replay" },
  {
    state: "keyed, a key of another length",
    session: rotatedAgo(0, keyed),
    with: { keyHash: "key and more" },
    verdict: "replay",
  },
  {
    state: "keyed, key, but the rotation came without one",
    session: withoutKey(keyed),
    with: { keyHash: "key" },
    verdict: "replay",
  },
  { state: "keyed, no key on either side", session: withoutKey(keyed), verdict: "replay" },

  // Unkeyed: the window, its end excluded.
  { state: "unkeyed, at once", session: rotatedAgo(0), verdict: "repeat unproven" },
  { state: "unkeyed, after 9 s", session: rotatedAgo(9), verdict: "repeat unproven" },
  { state: "unkeyed, after 10 s", session: rotatedAgo(10), verdict: "replay" },
  { state: "unkeyed, after an hour", session: rotatedAgo(3600), verdict: "replay" },
  { state: "unkeyed, clock ahead of ours", session: rotatedAgo(-7), verdict: "repeat unproven" },
  {
    state: "unkeyed, wrong key, after 9 s",
    session: rotatedAgo(9),
    with: { keyHash: "other" },
    verdict: "repeat unproven",
  },
  {
    state: "unkeyed, wrong key, after 10 s",
    session: rotatedAgo(10),
    with: { keyHash: "other" },
    verdict: "replay",
  },
  {
    state: "unkeyed, window 0, at once",
    session: rotatedAgo(0),
    settings: { refreshWindowSeconds: 0 },
    verdict: "replay",
  },
  {
    state: "unkeyed, window 0, clock ahead of ours",
    session: rotatedAgo(-7),
    settings: { refreshWindowSeconds: 0 },
    verdict: "replay",
  },
  {
    state: "unkeyed, window as long as the interval, at its end",
    session: rotatedAgo(29),
    settings: { refreshWindowSeconds: 30 },
    verdict: "repeat unproven",
  },

  // Everything else was ours once and is spent.
  {
    state: "older than the predecessor",
    session: rotated,
    with: { presentedHash: "spent" },
    verdict: "replay",
  },
  {
    state: "older than the predecessor, with the key",
    session: rotatedAgo(0, keyed),
    with: { presentedHash: "spent", keyHash: "key" },
    verdict: "replay",
  },
  {
    state: "damaged: the predecessor without the salt of its successor",
    session: { ...rotated, rotationSalt: undefined } as unknown as Session,
    verdict: "replay",
  },
  {
    state: "damaged: the predecessor without the time of its rotation",
    session: { ...rotated, rotatedAt: undefined } as unknown as Session,
    verdict: "replay",
  },
  { state: "unknown, never rotated", session: fresh, with: { presentedHash: "spent" }, verdict: "replay" },
  {
    state: "a hash that only begins like the current one",
    session: rotated,
    with: { presentedHash: "curren" },
    verdict: "replay",
  },
];

test.each(rows)("$state: $verdict", ({ session, with: changes, settings: others, verdict }) => {
  const found = classify(session, { ...attempt, ...changes }, { ...settings, ...others });
  expect(say(found)).toBe(verdict);
  if ("session" in found) expect(found.session).toBe(session);
});

const hash = fc.constantFrom("a", "b", "c", "");
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const time = fc.oneof(fc.integer({ min: now - 60, max: now + 60 }), fc.integer());
const anySession = fc.record({
  ...{ userId: fc.string(), sessionId: fc.string(), email: fc.string(), tokenHash: hash },
  ...{ previousTokenHash: optional(hash), rotationSalt: optional(hash), rotatedAt: optional(time) },
  ...{ rotationKeyHash: optional(hash), keyed: fc.boolean(), createdAt: time, expiresAt: time },
}) as fc.Arbitrary<Session>;
const anyAttempt = fc.record({ presentedHash: hash, rotationSalt: hash, keyHash: optional(hash), now: time });
const anySettings = fc.record({
  refreshWindowSeconds: fc.integer({ min: 0, max: 60 }),
  refreshMinIntervalSeconds: fc.integer({ min: 0, max: 3600 }),
});

test("every item gets a verdict, always the same one, and is not changed", () => {
  fc.assert(
    fc.property(optional(anySession), anyAttempt, anySettings, (session, given, chosen) => {
      const before = structuredClone(session);
      const verdict = classify(session, given, chosen);
      expect(classify(session, given, chosen)).toEqual(verdict);
      expect(session).toEqual(before);
      expect(["over", "own-write", "current", "repeat", "replay"]).toContain(verdict.is);
    }),
  );
});

test("a living answer is for the current or the previous pair of a session whose time is not over", () => {
  fc.assert(
    fc.property(optional(anySession), anyAttempt, anySettings, (session, given, chosen) => {
      const verdict = classify(session, given, chosen);
      if (!("session" in verdict)) return;
      expect(verdict.session.expiresAt).toBeGreaterThan(given.now);
      const known = [session?.tokenHash, session?.previousTokenHash];
      if (verdict.is !== "own-write") expect(known).toContain(given.presentedHash);
    }),
  );
});

test("a keyed session never accepts a predecessor without its key", () => {
  fc.assert(
    fc.property(anySession, anyAttempt, anySettings, (session, given, chosen) => {
      const verdict = classify({ ...session, keyed: true }, given, chosen);
      if (verdict.is === "repeat")
        expect([verdict.proven, given.keyHash]).toEqual([true, session.rotationKeyHash]);
    }),
  );
});
