import { createVerifier, type Verifier } from "serverless-auth-verify";

let verifier: Verifier | undefined;

/** Made at the first request: `next build` has no settings. */
export function getVerifier(): Verifier {
  verifier ??= createVerifier({
    issuer: process.env.ISSUER ?? "",
    audience: "api",
    clientId: "web",
    cookieName: "auth-cookie",
  });
  return verifier;
}
