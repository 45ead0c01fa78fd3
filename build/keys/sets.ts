import { type HashJwk, parseHashKeySet } from "../../lib/tokens/hash-keys.ts";
import type { KeyLife } from "../../lib/tokens/key-set.ts";
import { type Algorithm, type OurJwk, parsePrivateKeySet } from "../../lib/tokens/keys.ts";
import { generateHashKey, generateKey } from "./generate.ts";

/** One of the sets of keys that a stage has: they differ in what their keys are, and have one life. */
export interface KeySetKind<Key extends KeyLife = KeyLife> {
  /** In file of `npm start`. */
  file: string;
  /** How the name of the secret ends. */
  secret: string;
  /** Shown in Secrets Manager. */
  description: string;
  /** Parses a stored set. Throws TypeError that lists everything wrong with it, and quotes nothing. */
  parse(text: string): Key[];
  /** Makes a key that is not used yet (no `activeFrom`). */
  generate(alg?: Algorithm): Promise<Key>;
  /** For how long a key has something to verify after it was replaced. */
  keptSeconds(key: KeyLife): number;
  /** What it means to replace all keys at once. */
  emergencyEffect: string;
  /** The variable without which a stage has no such set. */
  onlyWith?: "MAIL_FROM";
}

const daySeconds = 86_400;
const centurySeconds = 36_525 * daySeconds;
/** Kept beyond the life of the last refresh token that came with a token of a replaced key. */
const retirementMarginSeconds = 3600;

/** The keys that sign access tokens. */
export const signingKeys: KeySetKind<OurJwk> = {
  file: "keys.json",
  secret: "signing-keys",
  description: "Private keys that sign access tokens; changed by `sls deploy` and `npm run keys`",
  parse: parsePrivateKeySet,
  generate: generateKey,
  // As long as any deployment with the key let a refresh token live.
  keptSeconds: ({ refreshTokenTtlSeconds = daySeconds }) => refreshTokenTtlSeconds + retirementMarginSeconds,
  emergencyEffect: `What this does: every access token and every cookie that an old key has signed is refused as soon as this is
published; a refresh refuses them too, so everybody logs in again. Until it is published, verifiers accept the old keys
still, and login and refresh may answer 503, because nobody could verify the new key.
Raise SESSIONS_NOT_BEFORE to the present time as well: sessions that were opened with a forged token are over then.`,
};

/** The keys that attempts are counted, browsers recognised and sessions named in the log with. */
export const hashKeys: KeySetKind<HashJwk> = {
  file: "hash-keys.json",
  secret: "hash-keys",
  description: "Keys for keyed hashes (attempts, browsers, log); changed by `sls deploy` and `npm run keys`",
  parse: parseHashKeySet,
  generate: generateHashKey,
  keptSeconds: () => 90 * daySeconds,
  emergencyEffect: `What this does: within five minutes (ten, if Secrets Manager is away) every function works with the new key alone.
Attempts are counted anew, browsers that have logged in before are taken for new ones, and addresses and sessions have
other names in the log. Nobody is logged out.`,
};

/** The keys that mailed codes and links are made of. Another set: who counts attempts cannot derive a code. */
export const codeKeys: KeySetKind<HashJwk> = {
  file: "code-keys.json",
  secret: "code-keys",
  description: "Keys for mailed codes and links; changed by `sls deploy` and `npm run keys`",
  parse: parseHashKeySet,
  generate: generateHashKey,
  // A day longer than the longest link is good.
  keptSeconds: () => 8 * daySeconds,
  emergencyEffect: `What this does: within five minutes (ten, if Secrets Manager is away) every function works with the new key alone.
Codes and links that were mailed before are worthless: whoever waits for one asks again. Nobody is logged out.`,
  onlyWith: "MAIL_FROM",
};

/** The keys that second factors are derived from: nobody who cannot read them can make a code, and the tables hold nothing of it. */
export const factorKeys: KeySetKind<HashJwk> = {
  file: "factor-keys.json",
  secret: "factor-keys",
  description: "Keys for second factors; changed by `sls deploy` and `npm run keys`",
  parse: parseHashKeySet,
  generate: generateHashKey,
  // A factor is derived from the key of its day for as long as it is used.
  keptSeconds: () => centurySeconds,
  emergencyEffect: `What this does: within five minutes (ten, if Secrets Manager is away) no code of any authenticator app and no recovery
code opens an account any more. Whoever has a second factor cannot log in until an operator takes it away (docs/factors.md).`,
};

/** All of them, by the name that `npm run keys -- --set` knows. */
export const keySets = { signing: signingKeys, hash: hashKeys, code: codeKeys, factor: factorKeys };

/** The name of a set of keys. */
export type KeySetName = keyof typeof keySets;
