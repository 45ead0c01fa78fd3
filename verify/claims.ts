import type { AccessClaims } from "../lib/tokens/access-claims.ts";

/** Written out by the compiler, so that the types of this package need no other. */
const claims = writeOut<AccessClaims>();

/** The claims of an access token (RFC 9068, section 2.2), those of lib/accounts/claims.ts among them. Times are epoch seconds. */
export type Claims = typeof claims;

function writeOut<T>() {
  return undefined as unknown as { [Name in keyof T]: T[Name] };
}
