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

/**
 * Parses a JWK set (RFC 7517, section 5): `findFaults` says what is wrong with a key beside its `kid`, no two keys have
 * the members `material` in common, `findSetFaults` says what is wrong with all of them. Throws TypeError that lists
 * everything, and quotes no member of a key.
 */
export function parseKeySet(
  text: string,
  findFaults: (jwk: JWK) => string[],
  material: readonly (keyof JWK)[],
  findSetFaults: (jwks: JWK[]) => string[] = () => [],
): (JWK & KeyLife)[] {
  const keys = parseKeys(text);
  const faults = listFaults(keys, (jwk) => [...findKidFaults(jwk), ...findFaults(jwk)]);
  const isRepeated = (values: unknown[]) => new Set(values).size < values.length;
  if (isRepeated(keys.map(({ kid }) => kid))) faults.push("two keys have one kid");
  if (isRepeated(keys.map((jwk) => JSON.stringify(material.map((name) => jwk[name])))))
    faults.push("one key stands there twice");
  faults.push(...findSetFaults(keys));
  if (faults.length > 0) throw new TypeError(faults.join("; "));
  return keys as (JWK & KeyLife)[];
}

const times = ["activeFrom", "publishedAt", "refreshTokenTtlSeconds", "retireAfter"] as const;

/** What is wrong with the life of keys: times that are none, and no key that is ever active. */
export function findLifeFaults(keys: JWK[]): string[] {
  const isSound = (time: unknown) => time === undefined || Number.isSafeInteger(time);
  const faults = listFaults(keys, (jwk: JWK & Partial<KeyLife>) =>
    times.filter((name) => !isSound(jwk[name])).map((name) => `${name} must be whole seconds`),
  );
  return keys.some((jwk) => "activeFrom" in jwk) ? faults : [...faults, "no key has an activeFrom"];
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

/** The faults of single keys, each with the place of its key. */
function listFaults(keys: JWK[], findFaults: (jwk: JWK) => string[]): string[] {
  return keys.flatMap((jwk, index) => findFaults(jwk).map((fault) => `key ${index + 1}: ${fault}`));
}
