import { describe, expect, test } from "@jest/globals";
import { usableSeconds } from "../../lib/tokens/key-source.ts";
import { generateHashKey, generateKey } from "./generate.ts";
import {
  createKeySet,
  KeyLifecycleError,
  type KeySet,
  markPublished,
  promote,
  promotionLeadSeconds,
  replaceAll,
  retire,
  rotate,
  stateOf,
  timeText,
} from "./lifecycle.ts";
import { codeKeys, factorKeys, hashKeys, signingKeys } from "./sets.ts";

const now = 1_800_000_000;
const refreshTokenTtlSeconds = 7_200;
const firstKey = await generateKey();
const nextKey = await generateKey();
const published = (set: KeySet, at = now, ttl = refreshTokenTtlSeconds): KeySet =>
  markPublished(
    set,
    { kids: set.keys.map(({ kid }) => kid), refreshTokenTtlSeconds: ttl, now: at },
    signingKeys,
  );
const initial = published(createKeySet(firstKey, now));
const rotated = rotate(initial, nextKey).set;
const promoted = promote(published(rotated), now, signingKeys).set;
const activeFrom = now + promotionLeadSeconds;
const retireAfter = activeFrom + refreshTokenTtlSeconds + 3600;
/** The next key after these, which signs as soon as it can. */
const promoteNext = async (set: KeySet, at: number, ttl = refreshTokenTtlSeconds) =>
  promote(published(rotate(set, await generateKey()).set, now, ttl), at, signingKeys).set;
const retirements = (set: KeySet) => set.keys.map((key) => key.retireAfter);
const statesOf = (set: KeySet, at: number) => set.keys.map((key) => stateOf(key, set, at));

test("each step says what it did, with times in UTC, and taken again changes nothing", async () => {
  const third = await generateKey();
  expect(timeText(now)).toBe("2027-01-15T08:00:00Z");
  const steps = [
    rotate(initial, nextKey),
    rotate(rotated, third),
    promote(published(rotated), now, signingKeys),
    promote(promoted, now, signingKeys),
    retire(promoted, retireAfter),
    retire(initial, now),
    replaceAll(third, now),
  ];
  expect([steps[1]?.set, steps[3]?.set, steps[5]?.set]).toEqual([rotated, promoted, initial]);
  expect(steps.map(({ done }) => done)).toEqual([
    `Added the next key ${nextKey.kid} (EdDSA).`,
    `The next key ${nextKey.kid} is there already: nothing changed.`,
    `Promoted: the key ${nextKey.kid} is active from ${timeText(activeFrom)} on.`,
    "The newest key is promoted already: nothing changed.",
    `Retired: ${firstKey.kid}.`,
    "No key has been replaced: nothing changed.",
    `All keys are replaced by ${third.kid} (EdDSA).`,
  ]);
});

test.each<[first: string, second: string, set: KeySet, at: number]>([
  ["active, not published", "unpublished", rotate(createKeySet(firstKey, now), nextKey).set, now],
  ["active", "published", published(rotated), now],
  ["active", "promoted", promoted, activeFrom - 1],
  ["replaced", "active", promoted, activeFrom],
  ["replaced", "active", promoted, retireAfter - 1],
  ["retirable", "active", promoted, retireAfter],
])("two keys are: %s; %s", (first, second, set, at) => {
  expect(statesOf(set, at)).toEqual([first, second]);
});

describe("promotion", () => {
  test("K03 is refused before a deployment with the key has finished", () => {
    expect(() => promote(rotated, now, signingKeys)).toThrow(/not published/);
    const none = markPublished(rotated, { kids: [], refreshTokenTtlSeconds, now }, signingKeys);
    expect(() => promote(none, now, signingKeys)).toThrow(KeyLifecycleError);
    expect(() => promote(promoted, activeFrom, signingKeys)).toThrow(/no next key/);
  });

  test("is of the key that waits: one of another algorithm does not take its place", async () => {
    const other = await generateKey("ES256");
    expect(() => rotate(rotated, other)).toThrow(KeyLifecycleError);
  });

  test("K03 takes effect when no sandbox can hold older keys, and no verifier an older key set", () => {
    expect(promotionLeadSeconds).toBeGreaterThan(usableSeconds);
    expect(promoted.keys[1]?.activeFrom).toBe(now + promotionLeadSeconds);
    const late = promote(published(rotated, now + 50), now, signingKeys).set; // the deploying machine's clock is ahead
    expect(late.keys[1]?.activeFrom).toBe(now + 50 + promotionLeadSeconds);
  });
});

describe("retirement", () => {
  test("waits until the last refresh token that came with a token of the key is over, and an hour more", () => {
    expect(promoted.keys[0]?.retireAfter).toBe(retireAfter);
    expect(() => retire(promoted, retireAfter - 1)).toThrow(new RegExp(`${firstKey.kid} from 20`));
    expect(retire(promoted, retireAfter).set.keys).toEqual([promoted.keys[1]]);
  });

  test("never takes away a key that is not replaced", () => {
    for (const set of [initial, rotated, published(rotated)]) expect(retire(set, now + 1e8).set).toBe(set);
  });

  test("comes later where a later deployment has let refresh tokens live longer, and never sooner", () => {
    const longer = published(promoted, now, 86_400);
    for (const set of [longer, published(longer, now, 60)])
      expect(retirements(set)[0]).toBe(activeFrom + 86_400 + 3600);
    // In whatever order the keys stand.
    expect(retirements(published({ keys: promoted.keys.toReversed() }))).toEqual([undefined, retireAfter]);
  });

  test("waits for pairs that an earlier deployment let live longer, and for those of the key itself only", async () => {
    const month = 30 * 86_400;
    const initially = published(createKeySet(firstKey, now), now, month);
    const third = await promoteNext(await promoteNext(initially, now, 60), now, 60);
    const last = third.keys[2]?.activeFrom ?? 0;
    const stored = { keys: signingKeys.parse(JSON.stringify(third)) };
    expect(retirements(stored)).toEqual([activeFrom + month + 3600, last + 60 + 3600, undefined]);
  });

  test("takes away what is retirable while other replaced keys wait, and says so of each", async () => {
    const fourth = await promoteNext(await promoteNext(promoted, activeFrom), activeFrom + 5_000);
    const [, second, ...others] = fourth.keys;
    expect(statesOf(fourth, retireAfter)).toEqual(["retirable", "replaced", "replaced", "active"]);
    expect(retire(fourth, retireAfter).set.keys).toEqual([second, ...others]);
    const kids = fourth.keys.slice(0, 3).map(({ kid }) => kid);
    const waiting = kids.map((kid) => `${kid} from \\S+ on`).join(", ");
    expect(() => retire(fourth, activeFrom)).toThrow(new RegExp(`Retire ${waiting}\\.`));
    const all = retire(fourth, 2 * now);
    expect([all.set.keys, all.done]).toEqual([[fourth.keys[3]], `Retired: ${kids.join(", ")}.`]);
  });

  test("is counted from the next key, where several have been promoted one after the other", async () => {
    const third = await promoteNext(promoted, now + 5);
    const [, second = 0, last = 0] = third.keys.map((key) => key.activeFrom);
    expect(last).toBeGreaterThan(second);
    expect(retirements(third)).toEqual([retireAfter, last + refreshTokenTtlSeconds + 3600, undefined]);
  });
});

test("publication is noted once, of the keys that were deployed; in an emergency only a new key is left", async () => {
  const noted = markPublished(
    rotated,
    { kids: [firstKey.kid], refreshTokenTtlSeconds, now: now + 9 },
    signingKeys,
  );
  expect(noted.keys.map(({ publishedAt }) => publishedAt)).toEqual([now, undefined]);
  const key = await generateKey();
  const { set } = replaceAll(key, now);
  expect(set).toEqual({ keys: [{ ...key, activeFrom: now, isEmergency: true }] });
  expect(statesOf(set, now)).toEqual(["active, not published"]);
  expect(statesOf(published(set), now)).toEqual(["active"]);
});

test("a stored set survives being stored, and a damaged one is refused without being quoted", () => {
  expect({ keys: signingKeys.parse(JSON.stringify(promoted)) }).toEqual(promoted);
  const secret = String(firstKey.d);
  for (const damage of ["x", { keys: [{ ...firstKey, kid: secret.repeat(3) }] }, { keys: [firstKey] }]) {
    expect(() => signingKeys.parse(JSON.stringify(damage))).toThrow(TypeError);
    expect(() => signingKeys.parse(JSON.stringify(damage))).not.toThrow(secret);
  }
});

test.each([
  ["hash", hashKeys, 90],
  ["code", codeKeys, 8],
  ["factor", factorKeys, 36_525],
])("a %s key needs no publication, and verifies for so long after it was replaced", async (_, kind, days) => {
  const [first, next] = [await generateHashKey(), await generateHashKey()];
  const initial = createKeySet(first, now);
  expect(statesOf(initial, now)).toEqual(["active"]);
  const rotated = rotate(initial, next).set;
  expect(statesOf(rotated, now)).toEqual(["active", "published"]);
  const { set } = promote(rotated, now, kind);
  const end = activeFrom + days * 86_400;
  expect({ keys: kind.parse(JSON.stringify(set)) }).toEqual({
    keys: [
      { ...first, activeFrom: now, retireAfter: end },
      { ...next, activeFrom },
    ],
  });
  expect(() => retire(set, end - 1)).toThrow(KeyLifecycleError);
  expect(retire(set, end).set.keys).toEqual([{ ...next, activeFrom }]);
});
