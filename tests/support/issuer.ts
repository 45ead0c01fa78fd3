import { createPairIssuer } from "../../lib/tokens/issue-pair.ts";
import { importSigningKeys, importVerificationKeys, type OurJwk } from "../../lib/tokens/keys.ts";
import { createExpiredTokenVerifier } from "../../lib/tokens/verify-access-token.ts";
import { createKey, publicKey } from "./keys.ts";
import { signerOf } from "./token.ts";

const settings = {
  issuer: "https://api.example.com",
  audience: "api",
  clientId: "web",
  accessTokenTtlSeconds: 900,
};

/** The issuer of pairs and the verifier of a service with one new key, without a service around them. */
export async function createTestIssuer(now: number) {
  const key = createKey("EdDSA");
  const signing = await importSigningKeys([key as OurJwk]);
  const keys = await importVerificationKeys([publicKey(key) as OurJwk]);
  return {
    issuePair: createPairIssuer({ ready: async () => {}, get: async () => signing }, settings).issue,
    verifyExpiredToken: createExpiredTokenVerifier({ ...settings, keys, clock: () => now }),
    keys,
    /** Signs as the service would, whatever it is given. */
    sign: signerOf(key),
    header: { alg: key.alg, typ: "at+jwt", kid: key.kid },
  };
}
