import { createVerifier, type Verifier } from "serverless-auth-verify";

let verifier: Verifier | undefined;

/** Made at the first request: `next build` has no settings. */
export function getVerifier(): Verifier {
  const { AUTH_URL = "http://localhost:3000", COOKIE_NAME = "auth-cookie" } = process.env;
  verifier ??= createVerifier({ issuer: AUTH_URL, audience: "api", clientId: null, cookieName: COOKIE_NAME });
  return verifier;
}
