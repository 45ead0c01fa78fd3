import { type OurJwk, parseJwkSet } from "../../lib/tokens/keys.ts";
import { usableSeconds } from "../../lib/tokens/signing-keys.ts";

/** The private keys of a stage, as they are kept (a JWK set, RFC 7517, section 5). */
export interface KeySet {
  keys: OurJwk[];
}

/**
 * Where a key is in its life: published, then promoted to signing, then replaced by a newer one, then retired. The first
 * key of a stage, and one made in an emergency, signs before it is published.
 */
export type KeyState =
  | "unpublished"
  | "published"
  | "promoted"
  | "signing, not published"
  | "signing"
  | "replaced"
  | "retirable";

/** What a step made of a key set; the same set if there was nothing to change. */
export interface Step {
  set: KeySet;
  done: string;
}

/** A step that would refuse live tokens, or has nothing to work on; the message says what to do first. */
export class KeyLifecycleError extends Error {
  override readonly name = "KeyLifecycleError";
}

/**
 * A promoted key signs this long after its promotion. Until then every sandbox has read it, however it stands
 * with the store (`usableSeconds`), and every verifier has a newer key set than the one before the publication
 * (`max-age=600`). The last minute is for storing the set, for requests under way, and for clocks that differ.
 */
export const promotionLeadSeconds = usableSeconds + 60;

/** Kept beyond the life of the last refresh token that came with a token of a replaced key. */
const retirementMarginSeconds = 3600;
const defaultRefreshTokenTtlSeconds = 86_400;

/** Parses a stored key set. Throws TypeError that lists everything wrong with it, and quotes nothing. */
export function parseKeySet(text: string): KeySet {
  return { keys: parseJwkSet(text, "private") };
}

/** The key set of a new stage: its first key signs at once. */
export function createKeySet(key: OurJwk, now: number): KeySet {
  return { keys: [{ ...key, activeFrom: now }] };
}

/** Tells the state of a key of a set. */
export function stateOf(key: OurJwk, { keys }: KeySet, now: number): KeyState {
  const { activeFrom, publishedAt, retireAfter } = key;
  if (activeFrom === undefined) return publishedAt === undefined ? "unpublished" : "published";
  if (activeFrom > now) return "promoted";
  if (retireAfter !== undefined && retireAfter <= now) return "retirable";
  const isReplaced = keys.some(
    (other) => (other.activeFrom ?? 0) > activeFrom && (other.activeFrom ?? 0) <= now,
  );
  if (isReplaced) return "replaced";
  return publishedAt === undefined ? "signing, not published" : "signing";
}

/** Adds the key that is to sign next, unless there is one already. Throws KeyLifecycleError. */
export function rotate(set: KeySet, key: OurJwk): Step {
  const next = findNext(set);
  if (!next)
    return { set: { keys: [...set.keys, key] }, done: `Added the next key ${key.kid} (${key.alg}).` };
  if (next.alg !== key.alg) {
    throw new KeyLifecycleError(
      `The next key ${next.kid} is there already, and it is for ${next.alg}, not ${key.alg}. Promote it first.`,
    );
  }
  return { set, done: `The next key ${next.kid} is there already: nothing changed.` };
}

/** Lets the next key sign, from `promotionLeadSeconds` on; it must have been published. Throws KeyLifecycleError. */
export function promote(set: KeySet, now: number): Step {
  const next = findNext(set);
  const newest = Math.max(...set.keys.map(({ activeFrom }) => activeFrom ?? 0));
  if (!next && newest > now) return { set, done: "The newest key is promoted already: nothing changed." };
  if (!next) throw new KeyLifecycleError("There is no next key to promote. Rotate first.");
  if (next.publishedAt === undefined) {
    throw new KeyLifecycleError(
      `The next key ${next.kid} is not published: what it signed would be refused. Publish it first.`,
    );
  }
  const activeFrom = Math.max(Math.max(now, next.publishedAt) + promotionLeadSeconds, newest + 1);
  const keys = set.keys.map((key) => (key === next ? { ...key, activeFrom } : key));
  return {
    set: withRetirement({ keys }),
    done: `Promoted: the key ${next.kid} signs from ${timeText(activeFrom)} on.`,
  };
}

/** Takes away the replaced keys of which no live token is left. Throws KeyLifecycleError. */
export function retire(set: KeySet, now: number): Step {
  const retirable = set.keys.filter((key) => stateOf(key, set, now) === "retirable");
  const waiting = set.keys.filter((key) => key.retireAfter !== undefined && !retirable.includes(key));
  if (retirable.length === 0 && waiting.length > 0) {
    const times = waiting.map(({ kid, retireAfter }) => `${kid} from ${timeText(retireAfter)} on`);
    throw new KeyLifecycleError(
      `Sessions may still hold tokens of replaced keys. Retire ${times.join(", ")}.`,
    );
  }
  if (retirable.length === 0) return { set, done: "No key has been replaced: nothing changed." };
  const keys = set.keys.filter((key) => !retirable.includes(key));
  return { set: { keys }, done: `Retired: ${retirable.map(({ kid }) => kid).join(", ")}.` };
}

/** Replaces all keys at once by a new one: for a private key that may have leaked. Ends every session. */
export function replaceAll(key: OurJwk, now: number): Step {
  const set = createKeySet({ ...key, isEmergency: true }, now);
  return { set, done: `All keys are replaced by ${key.kid} (${key.alg}).` };
}

/** Notes that a deployment which publishes the keys `kids` has finished, and how long its refresh tokens live. */
export function markPublished(
  set: KeySet,
  { kids, refreshTokenTtlSeconds, now }: { kids: string[]; refreshTokenTtlSeconds: number; now: number },
): KeySet {
  const keys = set.keys.map((key) => {
    if (!kids.includes(key.kid)) return key;
    const longest = Math.max(refreshTokenTtlSeconds, key.refreshTokenTtlSeconds ?? 0);
    return { ...key, publishedAt: key.publishedAt ?? now, refreshTokenTtlSeconds: longest };
  });
  return withRetirement({ keys });
}

/** Writes a time as people read it, in UTC. */
export function timeText(epochSeconds: number | undefined): string {
  return new Date((epochSeconds ?? 0) * 1000).toISOString().replace(".000", "");
}

function findNext({ keys }: KeySet): OurJwk | undefined {
  return keys.find(({ activeFrom }) => activeFrom === undefined);
}

/**
 * Says of each replaced key when no live token of it is left: its last pair was issued when the next key became
 * active at the latest, and may come in for as long as any deployment with the key let a refresh token live. Never
 * earlier than was said before.
 */
function withRetirement(set: KeySet): KeySet {
  const times = set.keys.map(({ activeFrom }) => activeFrom ?? 0).sort((a, b) => a - b);
  const keys = set.keys.map((key) => {
    const { activeFrom, refreshTokenTtlSeconds = defaultRefreshTokenTtlSeconds } = key;
    const replacedAt = activeFrom === undefined ? undefined : times.find((time) => time > activeFrom);
    if (replacedAt === undefined) return key;
    const retireAfter = replacedAt + refreshTokenTtlSeconds + retirementMarginSeconds;
    return { ...key, retireAfter: Math.max(retireAfter, key.retireAfter ?? 0) };
  });
  return { keys };
}
