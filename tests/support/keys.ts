import { generateKeyPairSync, type JsonWebKey, randomBytes, randomUUID } from "node:crypto";
import type { HashJwk } from "../../lib/tokens/hash-keys.ts";
import { type OurJwk, toPublicJwk } from "../../lib/tokens/keys.ts";
import { keepSecrets } from "./log.ts";

const generate = {
  EdDSA: () => generateKeyPairSync("ed25519"),
  ES256: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
  RS256: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
};

/** A private key as JWT_SIGNING_KEYS holds it. */
export interface TestKey extends JsonWebKey {
  kid: string;
  alg: keyof typeof generate;
  activeFrom: number;
}

/** Makes a signing key of any algorithm that the service takes. */
export function createKey(alg: keyof typeof generate, { activeFrom = 0 } = {}): TestKey {
  const jwk = generate[alg]().privateKey.export({ format: "jwk" });
  keepSecrets(jwk.d);
  return { ...jwk, kid: randomUUID().slice(0, 8), alg, activeFrom };
}

export const publicKey = (key: TestKey): OurJwk => toPublicJwk(key as OurJwk);

export function keySettings(...keys: TestKey[]) {
  return {
    JWT_SIGNING_KEYS: JSON.stringify({ keys }),
    JWT_PUBLIC_KEYS: JSON.stringify({ keys: keys.map(publicKey) }),
  };
}

/** The setting that holds hash keys. */
export const hashKeySettings = (...keys: HashJwk[]) => ({ HASH_KEYS: JSON.stringify({ keys }) });

/** The setting that holds code keys. */
export const codeKeySettings = (...keys: HashJwk[]) => ({ CODE_KEYS: JSON.stringify({ keys }) });

/** The setting that holds factor keys. */
export const factorKeySettings = (...keys: HashJwk[]) => ({ FACTOR_KEYS: JSON.stringify({ keys }) });

/** Makes a hash key, or a code key. */
export function createHashKey({ activeFrom = 0 } = {}): HashJwk {
  const k = randomBytes(32).toString("base64url");
  keepSecrets(k);
  return { kty: "oct", k, kid: randomUUID().slice(0, 8), alg: "HS256", activeFrom };
}
