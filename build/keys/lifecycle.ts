import type { KeyLife } from "../../lib/tokens/key-set.ts";
import { usableSeconds } from "../../lib/tokens/key-source.ts";
import type { KeySetKind } from "./sets.ts";

/** The keys of a stage, as they are kept (a JWK set, RFC 7517, section 5). */
export interface KeySet<Key extends KeyLife = KeyLife> {
  keys: Key[];
}

/**
 * Where a key is in its life: published, then promoted, then replaced by a newer one, then retired. The first key of a
 * stage, and one made in an emergency, is active before it is published.
 */
export type KeyState =
  | "unpublished"
  | "published"
  | "promoted"
  | "active, not published"
  | "active"
  | "replaced"
  | "retirable";

/** What a step made of a key set; the same set if there was nothing to change. */
export interface Step<Key extends KeyLife = KeyLife> {
  set: KeySet<Key>;
  done: string;
}

/** A step that would refuse what is still good, or has nothing to work on; the message says what to do first. */
export class KeyLifecycleError extends Error {
  override readonly name = "KeyLifecycleError";
}

/**
 * A promoted key is active this long after its promotion. Until then every sandbox has read it, however it stands
 * with the store (`usableSeconds`), and every verifier has a newer key set than the one before the publication
 * (`max-age=600`). The last minute is for storing the set, for requests under way, and for clocks that differ.
 */
export const promotionLeadSeconds = usableSeconds + 60;

/** The key set of a new stage: its first key is active at once. */
export function createKeySet<Key extends KeyLife>(key: Key, now: number): KeySet<Key> {
  return { keys: [{ ...key, activeFrom: now }] };
}

/** Tells the state of a key of a set. */
export function stateOf(key: KeyLife, { keys }: KeySet, now: number): KeyState {
  const { activeFrom, retireAfter } = key;
  if (activeFrom === undefined) return isPublished(key) ? "published" : "unpublished";
  if (activeFrom > now) return "promoted";
  if (retireAfter !== undefined && retireAfter <= now) return "retirable";
  const isReplaced = keys.some(
    (other) => (other.activeFrom ?? 0) > activeFrom && (other.activeFrom ?? 0) <= now,
  );
  if (isReplaced) return "replaced";
  return isPublished(key) ? "active" : "active, not published";
}

/** Adds the next key, unless there is one already. Throws KeyLifecycleError. */
export function rotate<Key extends KeyLife>(set: KeySet<Key>, key: Key): Step<Key> {
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

/** Makes the next key active, from `promotionLeadSeconds` on; it must have been published. Throws KeyLifecycleError. */
export function promote<Key extends KeyLife>(
  set: KeySet<Key>,
  now: number,
  kind: Pick<KeySetKind, "keptSeconds">,
): Step<Key> {
  const next = findNext(set);
  const newest = Math.max(...set.keys.map(({ activeFrom }) => activeFrom ?? 0));
  if (!next && newest > now) return { set, done: "The newest key is promoted already: nothing changed." };
  if (!next) throw new KeyLifecycleError("There is no next key to promote. Rotate first.");
  if (!isPublished(next)) {
    throw new KeyLifecycleError(
      `The next key ${next.kid} is not published: what it signed would be refused. Publish it first.`,
    );
  }
  const publishedAt = Math.max(now, next.publishedAt ?? 0);
  const activeFrom = Math.max(publishedAt + promotionLeadSeconds, newest + 1);
  const keys = set.keys.map((key) => (key === next ? { ...key, activeFrom } : key));
  return {
    set: withRetirement({ keys }, kind),
    done: `Promoted: the key ${next.kid} is active from ${timeText(activeFrom)} on.`,
  };
}

/** Takes away the replaced keys that have nothing left to verify. Throws KeyLifecycleError. */
export function retire<Key extends KeyLife>(set: KeySet<Key>, now: number): Step<Key> {
  const retirable = set.keys.filter((key) => stateOf(key, set, now) === "retirable");
  const waiting = set.keys.filter((key) => key.retireAfter !== undefined && !retirable.includes(key));
  if (retirable.length === 0 && waiting.length > 0) {
    const times = waiting.map(({ kid, retireAfter }) => `${kid} from ${timeText(retireAfter)} on`);
    throw new KeyLifecycleError(
      `Replaced keys may still have something to verify. Retire ${times.join(", ")}.`,
    );
  }
  if (retirable.length === 0) return { set, done: "No key has been replaced: nothing changed." };
  const keys = set.keys.filter((key) => !retirable.includes(key));
  return { set: { keys }, done: `Retired: ${retirable.map(({ kid }) => kid).join(", ")}.` };
}

/** Replaces all keys at once by a new one: for a key that may have leaked. */
export function replaceAll<Key extends KeyLife>(key: Key, now: number): Step<Key> {
  const set = createKeySet({ ...key, isEmergency: true }, now);
  return { set, done: `All keys are replaced by ${key.kid} (${key.alg}).` };
}

/** Notes that a deployment which publishes the keys `kids` has finished, and how long its refresh tokens live. */
export function markPublished<Key extends KeyLife>(
  set: KeySet<Key>,
  { kids, refreshTokenTtlSeconds, now }: { kids: string[]; refreshTokenTtlSeconds: number; now: number },
  kind: Pick<KeySetKind, "keptSeconds">,
): KeySet<Key> {
  const keys = set.keys.map((key) => {
    if (!kids.includes(key.kid)) return key;
    const longest = Math.max(refreshTokenTtlSeconds, key.refreshTokenTtlSeconds ?? 0);
    return { ...key, publishedAt: key.publishedAt ?? now, refreshTokenTtlSeconds: longest };
  });
  return withRetirement({ keys }, kind);
}

/** Writes a time as people read it, in UTC. */
export function timeText(epochSeconds: number | undefined): string {
  return new Date((epochSeconds ?? 0) * 1000).toISOString().replace(".000", "");
}

/** A key that others verify with must be published first. A shared secret is used by those who read it, and nobody else. */
function isPublished({ alg, publishedAt }: KeyLife): boolean {
  return alg === "HS256" || publishedAt !== undefined;
}

function findNext<Key extends KeyLife>({ keys }: KeySet<Key>): Key | undefined {
  return keys.find(({ activeFrom }) => activeFrom === undefined);
}

/**
 * Says of each replaced key when nothing is left that it has to verify: the last of it was made when the next key became
 * active at the latest. Never earlier than was said before.
 */
function withRetirement<Key extends KeyLife>(
  set: KeySet<Key>,
  { keptSeconds }: Pick<KeySetKind, "keptSeconds">,
): KeySet<Key> {
  const times = set.keys.map(({ activeFrom }) => activeFrom ?? 0).sort((a, b) => a - b);
  const keys = set.keys.map((key) => {
    const { activeFrom } = key;
    const replacedAt = activeFrom === undefined ? undefined : times.find((time) => time > activeFrom);
    if (replacedAt === undefined) return key;
    return { ...key, retireAfter: Math.max(replacedAt + keptSeconds(key), key.retireAfter ?? 0) };
  });
  return { keys };
}
