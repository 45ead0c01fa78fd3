import { JwtVerifier } from "aws-jwt-verify";
import { SimpleJwksCache } from "aws-jwt-verify/jwk";
import { createRemoteJWKSet, jwtVerify } from "jose";
import jsonwebtoken from "jsonwebtoken";
import { createVerifier } from "../../verify/index.ts";
import { clock } from "../support/clock.ts";

/** What another service knows of us: the issuer, and what its tokens must be for. */
export interface Expected {
  issuer: string;
  audience: string;
  algorithm: "EdDSA" | "ES256" | "RS256";
}

/** A stock verifier in another service; rejects what it refuses. */
export type Verify = (token: string) => Promise<unknown>;

// The cache of jwks-rsa tells its age by this clock, and must see the test's.
Object.defineProperty(globalThis, "performance", { value: { now: () => Date.now() } });
const { JwksClient } = (await import("jwks-rsa")).default;

/** Our own package, and the stock verifiers that can do an algorithm, each with caches of its own, as docs/keys.md sets them up. */
export async function createVerifiers(expected: Expected): Promise<Record<string, Verify>> {
  const discovery = await fetch(`${expected.issuer}/.well-known/openid-configuration`);
  const { issuer, jwks_uri: jwksUri } = (await discovery.json()) as { issuer: string; jwks_uri: string };
  const sources = { ...expected, issuer, jwksUri };
  return {
    "serverless-auth-verify": createVerifier({ ...expected, clientId: "web" }).verifyToken,
    jose: createJoseVerifier(sources),
    "aws-jwt-verify": createAwsVerifier(sources),
    ...(expected.algorithm !== "EdDSA" && { jsonwebtoken: createJsonwebtokenVerifier(sources) }),
  };
}

interface Sources extends Expected {
  jwksUri: string;
}

function createJoseVerifier({ issuer, audience, algorithm, jwksUri }: Sources): Verify {
  const keys = createRemoteJWKSet(new URL(jwksUri));
  const expected = { issuer, audience, algorithms: [algorithm], typ: "at+jwt" };
  return (token) => jwtVerify(token, keys, { ...expected, currentDate: new Date(clock.now * 1000) });
}

function createAwsVerifier({ issuer, audience, jwksUri }: Sources): Verify {
  // Its own fetcher takes https only.
  const fetcher = { fetch: async (uri: string) => (await fetch(uri)).arrayBuffer() };
  const jwksCache = new SimpleJwksCache({ fetcher });
  const verifier = JwtVerifier.create({ issuer, audience, jwksUri }, { jwksCache });
  let hydratedAt = 0;
  return async (token) => {
    if (clock.now - hydratedAt >= 600) await verifier.hydrate();
    hydratedAt = clock.now - hydratedAt >= 600 ? clock.now : hydratedAt;
    return verifier.verify(token);
  };
}

function createJsonwebtokenVerifier({ issuer, audience, algorithm, jwksUri }: Sources): Verify {
  const client = new JwksClient({ jwksUri });
  const algorithms = [algorithm as "ES256" | "RS256"];
  return async (token) => {
    const kid = jsonwebtoken.decode(token, { complete: true })?.header.kid;
    const key = (await client.getSigningKey(kid)).getPublicKey();
    return jsonwebtoken.verify(token, key, { issuer, audience, algorithms });
  };
}
