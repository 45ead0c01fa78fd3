import { calculateJwkThumbprint, exportJWK, generateKeyPair, generateSecret, type JWK } from "jose";
import type { HashJwk } from "../../lib/tokens/hash-keys.ts";
import type { Algorithm, OurJwk } from "../../lib/tokens/keys.ts";

/** Makes a private key that signs nothing yet (no `activeFrom`): Ed25519, P-256 or RSA with 3072 bits. */
export async function generateKey(alg: Algorithm = "EdDSA"): Promise<OurJwk> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true, modulusLength: 3072 });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, kid: await createKid(jwk), alg, use: "sig" };
}

/** Makes a hash key that nothing is hashed with yet (no `activeFrom`): 256 random bits. */
export async function generateHashKey(): Promise<HashJwk> {
  const jwk = await exportJWK(await generateSecret("HS256", { extractable: true }));
  return { ...jwk, kid: await createKid(jwk), alg: "HS256", use: "sig" } as HashJwk;
}

/** The start of a key's thumbprint (RFC 7638), short because every token carries it. */
async function createKid(jwk: JWK): Promise<string> {
  return (await calculateJwkThumbprint(jwk)).slice(0, 8);
}
