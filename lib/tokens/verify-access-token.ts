import { type JWTPayload, jwtVerify } from "jose";
import { JWSSignatureVerificationFailed, JWTClaimValidationFailed, JWTExpired } from "jose/errors";
import * as v from "valibot";
import type { Clock } from "../clock.ts";
import type { RefusalReason } from "../events.ts";
import { type AccessClaims, accessClaims } from "./access-claims.ts";
import { AccessTokenError, assertLength, selectKey } from "./compact-jws.ts";
import type { VerificationKey } from "./keys.ts";
import { createVerifiedTokens } from "./verified-tokens.ts";

export { AccessTokenError } from "./compact-jws.ts";

interface VerifierOptions {
  keys: ReadonlyMap<string, VerificationKey>;
  issuer: string;
  audience: string;
  /** The client whose tokens are accepted, on the routes of its users' accounts; null: those of every client. */
  clientId: string | null;
  clock: Clock;
}

interface ProtectedRouteOptions extends VerifierOptions {
  /** The longest life that tokens get here; one that claims more is not ours. */
  accessTokenTtlSeconds: number;
  /** Sessions created earlier are over. Epoch seconds. */
  sessionsNotBefore: number;
}

/**
 * Verifies a live access token. It may have been issued until `latestAt`, epoch seconds: by default what the clock shows.
 * Throws AccessTokenError.
 */
export type VerifyAccessToken = (token: string, latestAt?: number) => Promise<AccessClaims>;

/** Verifies an access token in the same way, whether or not it has expired. */
export type VerifyExpiredToken = (
  token: string,
  latestAt?: number,
) => Promise<{ claims: AccessClaims; isExpired: boolean }>;

/** Sandboxes' clocks may differ by so much. */
const clockSkewSeconds = 5;

/**
 * Makes the verifier of protected routes: an expired token is refused. The signature of a token is checked once per
 * sandbox, as far as it remembers; everything that depends on the time is checked at every call.
 */
export function createAccessTokenVerifier(options: ProtectedRouteOptions): VerifyAccessToken {
  const verified = createVerifiedTokens();
  return async function verifyAccessToken(token, latestAt = options.clock()) {
    assertLength(token);
    const known = verified.find(token);
    const claims = known ?? (await verify(token, options, options.accessTokenTtlSeconds)).claims;
    assertCurrent(claims, options, latestAt);
    if (!known) verified.add(token, claims);
    return claims;
  };
}

/** Makes the verifier of refresh and logout: expiry, and nothing else, is forgiven. */
export function createExpiredTokenVerifier(options: VerifierOptions): VerifyExpiredToken {
  // A day, whatever the setting: lowering it must end no session.
  return async function verifyExpiredToken(token, latestAt = options.clock()) {
    const verified = await verify(token, options, 86_400);
    assertNotFuture(verified.claims, latestAt);
    return verified;
  };
}

/**
 * Answers whether an access token that was refused as issued in the future is refused by our clock alone: by the one of the
 * gateway, which says when the request was received, it is not. Another sandbox will do then.
 */
export async function isOurClockSlow(
  error: AccessTokenError,
  verifyAsReceived: () => Promise<unknown>,
): Promise<boolean> {
  if (error.reason !== "issued in the future") return false;
  return verifyAsReceived().then(
    () => true,
    () => false,
  );
}

/** Checks everything but whether the token was issued in the future. */
async function verify(token: string, options: VerifierOptions, maxLifeSeconds: number) {
  const { clientId } = options;
  const { alg, key, typ, payload: claimsBytes } = selectKey(token, options.keys);
  if (typeof typ !== "string") throw new AccessTokenError("unexpected header");
  // A byte order mark or blanks before the claims would be dropped silently.
  if (claimsBytes[0] !== 0x7b) throw new AccessTokenError("claims are not an object");
  let payload: JWTPayload;
  let isExpired = false;
  // Before the try: a clock that breaks is no fault of the token.
  const currentDate = new Date(options.clock() * 1000);
  try {
    ({ payload } = await jwtVerify(token, key, {
      algorithms: [alg],
      typ: "at+jwt",
      issuer: options.issuer,
      audience: options.audience,
      requiredClaims: ["exp", "iat", "iss", "aud", "sub", "sid", "jti", "auth_time"],
      clockTolerance: clockSkewSeconds,
      currentDate,
    }));
  } catch (error) {
    // jose reports expiry only after the signature and everything else it checks passed.
    if (!(error instanceof JWTExpired) || error.claim !== "exp") {
      throw new AccessTokenError(findReason(error), { cause: error });
    }
    payload = error.payload;
    isExpired = true;
  }
  const claims = parseClaims(payload);
  if (clientId !== null && claims.client_id !== clientId) throw new AccessTokenError("wrong client");
  if (claims.exp - claims.iat > maxLifeSeconds) throw new AccessTokenError("lives too long");
  return { claims, isExpired };
}

function findReason(error: unknown): RefusalReason {
  if (error instanceof JWSSignatureVerificationFailed) return "wrong signature";
  const claim = error instanceof JWTClaimValidationFailed ? error.claim : undefined;
  return claim === "iss" ? "wrong issuer" : claim === "aud" ? "wrong audience" : "claim refused";
}

/** Checks what time alone can change about a token whose signature and claims are sound (RFC 7519, 4.1.4 and 4.1.5). */
function assertCurrent(
  claims: AccessClaims,
  { clock, sessionsNotBefore }: ProtectedRouteOptions,
  latestAt: number,
): void {
  if (claims.exp <= clock() - clockSkewSeconds) throw new AccessTokenError("expired");
  if (claims.auth_time < sessionsNotBefore) throw new AccessTokenError("session ended by the operator");
  assertNotFuture(claims, latestAt);
}

function assertNotFuture({ iat, nbf = iat }: TimedClaims, now: number): void {
  if (Math.max(iat, nbf) > now + clockSkewSeconds) throw new AccessTokenError("issued in the future");
}

/** Whatever else is in a token that we have signed stays in it. */
function parseClaims(payload: JWTPayload): AccessClaims {
  if (!v.is(accessClaims, payload)) throw new AccessTokenError("claims of a wrong type");
  const { iat, nbf, exp }: TimedClaims = payload;
  // No clock makes such a token good. jose has seen that `nbf` is a number.
  if (iat > exp || (nbf !== undefined && nbf >= exp))
    throw new AccessTokenError("claims contradict each other");
  return payload;
}

/** Our tokens have no `nbf`; whoever signs with our keys could add one. */
type TimedClaims = AccessClaims & { nbf?: number };
