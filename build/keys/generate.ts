import { calculateJwkThumbprint, exportJWK, generateKeyPair } from "jose";
import type { Algorithm, OurJwk } from "../../lib/tokens/keys.ts";

/**
 * Makes a private key that signs nothing yet (no `activeFrom`): Ed25519, P-256 or RSA with 3072 bits. Its `kid` is the
 * start of its thumbprint (RFC 7638), short because every token carries it.
 */
export async function generateKey(alg: Algorithm = "EdDSA"): Promise<OurJwk> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true, modulusLength: 3072 });
  const jwk = await exportJWK(privateKey);
  const kid = (await calculateJwkThumbprint(jwk)).slice(0, 8);
  return { ...jwk, kid, alg, use: "sig" };
}
