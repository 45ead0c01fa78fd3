import { createHash, generateKeyPairSync } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** A private Ed25519 JWK that signs tokens whose `iat` is `activeFrom` (epoch seconds) or later. */
export type SigningKey = {
  kty: "OKP";
  crv: "Ed25519";
  x: string;
  d: string;
  kid: string;
  alg: "EdDSA";
  use: "sig";
  activeFrom: number;
};

/** Makes an Ed25519 signing key; its `kid` is the start of its thumbprint (RFC 7638), short because every token carries it. */
export function createSigningKey({ activeFrom = 0 } = {}): SigningKey {
  const { x, d } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" }) as {
    x: string;
    d: string;
  };
  const thumbprint = createHash("sha256")
    .update(JSON.stringify({ crv: "Ed25519", kty: "OKP", x }))
    .digest("base64url");
  return {
    kty: "OKP",
    crv: "Ed25519",
    x,
    d,
    kid: thumbprint.slice(0, 8),
    alg: "EdDSA",
    use: "sig",
    activeFrom,
  };
}

/** The two settings that hold `keys`: the private JWK set, and the same without its private parts. */
export function keySettings(keys: SigningKey[]): { JWT_SIGNING_KEYS: string; JWT_PUBLIC_KEYS: string } {
  return {
    JWT_SIGNING_KEYS: JSON.stringify({ keys }),
    JWT_PUBLIC_KEYS: JSON.stringify({ keys: keys.map(({ d: _private, ...publicKey }) => publicKey) }),
  };
}

/** The keys in `file`; on first use makes one and keeps it there, readable by its owner only. */
export function localKeys(file: string): SigningKey[] {
  try {
    return JSON.parse(readFileSync(file, "utf8")).keys;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const keys = [createSigningKey()];
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify({ keys }), { mode: 0o600, flag: "wx" });
  return keys;
}
