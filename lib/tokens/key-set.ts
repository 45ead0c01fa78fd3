import type { JWK } from "jose";

/** What every key of ours has beside its members (RFC 7517). Times are epoch seconds. */
export interface KeyLife {
  kid: string;
  alg: string;
  /** It is used for what is issued or counted from this time on; absent while it is only there. */
  activeFrom?: number;
  /** When a deployment that publishes the key had finished. */
  publishedAt?: number;
  /** The greatest REFRESH_TOKEN_TTL_SECONDS of the deployments that have published the key. */
  refreshTokenTtlSeconds?: number;
  /** A replaced key: when nothing is left that it has to verify. */
  retireAfter?: number;
  /** It was made because an older one may have leaked. */
  isEmergency?: boolean;
}

/** How the keys of a set are checked. */
export interface KeyRules {
  /** Says what is wrong with a key, beside its `kid` and the times of its life. */
  findFaults: (jwk: JWK) => string[];
  /** The members that no two keys may have in common. */
  material: (keyof JWK)[];
  /** Its keys have a life: one of them must be active at some time. */
  hasLife: boolean;
}

const times = ["activeFrom", "publishedAt", "refreshTokenTtlSeconds", "retireAfter"] as const;

/**
 * Parses a JWK set (RFC 7517, section 5). Throws TypeError that lists everything wrong with it, and quotes no member of
 * a key.
 */
export function parseKeySet(text: string, { findFaults, material, hasLife }: KeyRules): (JWK & KeyLife)[] {
  const keys = parseKeys(text);
  const faults = keys.flatMap((jwk, index) => {
    const own = [...findKidFaults(jwk), ...findFaults(jwk), ...(hasLife ? findTimeFaults(jwk) : [])];
    return own.map((fault) => `key ${index + 1}: ${fault}`);
  });
  const isRepeated = (values: unknown[]) => new Set(values).size < values.length;
  if (isRepeated(keys.map(({ kid }) => kid))) faults.push("two keys have one kid");
  if (isRepeated(keys.map((jwk) => JSON.stringify(material.map((name) => jwk[name])))))
    faults.push("one key stands there twice");
  if (hasLife && !keys.some((jwk) => "activeFrom" in jwk)) faults.push("no key has an activeFrom");
  if (faults.length > 0) throw new TypeError(faults.join("; "));
  return keys as (JWK & KeyLife)[];
}

/** The newest key that is active at a time (epoch seconds), if there is one: all sandboxes agree on it. */
export function findKeyActiveAt<Key extends { activeFrom: number }>(
  time: number,
  keys: Key[],
): Key | undefined {
  const active = keys.filter(({ activeFrom }) => activeFrom <= time);
  return active.sort((a, b) => b.activeFrom - a.activeFrom)[0];
}

function parseKeys(text: string): JWK[] {
  let set: unknown;
  try {
    set = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which may hold private keys.
  }
  const keys = (set as { keys?: unknown } | undefined)?.keys;
  const isSet =
    Array.isArray(keys) && keys.length > 0 && keys.every((key) => typeof key === "object" && key !== null);
  if (!isSet) throw new TypeError('must be a JSON Web Key set: {"keys":[...]} with at least one key');
  return keys;
}

function findKidFaults({ kid }: JWK): string[] {
  const isSound = typeof kid === "string" && /^[A-Za-z0-9._-]{1,64}$/.test(kid);
  return isSound ? [] : ["kid must be 1 to 64 of A-Z a-z 0-9 . _ -"];
}

function findTimeFaults(jwk: JWK & Partial<KeyLife>): string[] {
  const isSound = (time: unknown) => time === undefined || Number.isSafeInteger(time);
  return times.filter((name) => !isSound(jwk[name])).map((name) => `${name} must be whole seconds`);
}
