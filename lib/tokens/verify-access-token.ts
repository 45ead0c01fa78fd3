import { errors, type JWTPayload, jwtVerify } from "jose";
import type { Clock } from "../clock.ts";
import { AccessTokenError, selectKey } from "./compact-jws.ts";
import { type CustomClaims, isCustomClaims } from "./custom-claims.ts";
import type { VerificationKey } from "./keys.ts";

/** The claims of an access token of ours (RFC 9068, section 2.2). Times are epoch seconds. */
export interface AccessClaims extends CustomClaims {
  iss: string;
  aud: string | string[];
  client_id: string;
  /** The user id. */
  sub: string;
  /** The session id. */
  sid: string;
  email: string;
  /** When the session was created. */
  auth_time: number;
  iat: number;
  exp: number;
  /** Ties the token to its refresh token. */
  jti: string;
}

export { AccessTokenError } from "./compact-jws.ts";

interface VerifierOptions {
  keys: ReadonlyMap<string, VerificationKey>;
  issuer: string;
  audience: string;
  clock: Clock;
}

interface ProtectedRouteOptions extends VerifierOptions {
  /** The longest life that tokens get here; one that claims more is not ours. */
  accessTokenTtlSeconds: number;
  /** Sessions created earlier are over. Epoch seconds. */
  sessionsNotBefore: number;
}

/** Verifies a live access token. Throws AccessTokenError. */
export type VerifyAccessToken = (token: string) => Promise<AccessClaims>;

/** Verifies an access token that may have expired. Throws AccessTokenError. */
export type VerifyExpiredToken = (token: string) => Promise<{ claims: AccessClaims; isExpired: boolean }>;

/** Sandboxes' clocks may differ by so much. */
const clockSkewSeconds = 5;

/** Makes the verifier of protected routes: an expired token is refused. */
export function createAccessTokenVerifier(options: ProtectedRouteOptions): VerifyAccessToken {
  return async function verifyAccessToken(token) {
    const { claims, isExpired } = await verify(token, options, options.accessTokenTtlSeconds);
    if (isExpired) throw new AccessTokenError("expired");
    if (claims.auth_time < options.sessionsNotBefore)
      throw new AccessTokenError("session ended by the operator");
    return claims;
  };
}

/** Makes the verifier of refresh and logout: expiry, and nothing else, is forgiven. */
export function createExpiredTokenVerifier(options: VerifierOptions): VerifyExpiredToken {
  // A day, whatever the setting: lowering it must end no session.
  return (token) => verify(token, options, 86_400);
}

async function verify(token: string, options: VerifierOptions, maxLifeSeconds: number) {
  const { alg, key, typ, payload: claimsBytes } = selectKey(token, options.keys);
  if (typeof typ !== "string") throw new AccessTokenError("unexpected header");
  // A byte order mark or blanks before the claims would be dropped silently.
  if (claimsBytes[0] !== 0x7b) throw new AccessTokenError("claims are not an object");
  const now = options.clock();
  let payload: JWTPayload;
  let isExpired = false;
  try {
    ({ payload } = await jwtVerify(token, key, {
      algorithms: [alg],
      typ: "at+jwt",
      issuer: options.issuer,
      audience: options.audience,
      requiredClaims: ["exp", "iat", "iss", "aud", "sub", "sid", "jti", "auth_time"],
      clockTolerance: clockSkewSeconds,
      currentDate: new Date(now * 1000),
    }));
  } catch (error) {
    // jose reports expiry only after the signature and everything else it checks passed.
    if (!(error instanceof errors.JWTExpired) || error.claim !== "exp") {
      throw new AccessTokenError("refused", { cause: error });
    }
    payload = error.payload;
    isExpired = true;
  }
  const claims = parseClaims(payload);
  if (claims.exp - claims.iat > maxLifeSeconds) throw new AccessTokenError("lives too long");
  if (claims.iat > now + clockSkewSeconds) throw new AccessTokenError("issued in the future");
  return { claims, isExpired };
}

function parseClaims(payload: JWTPayload): AccessClaims {
  const isSound =
    ["iss", "client_id", "sub", "sid", "jti"].every((name) => isText(payload[name], 256)) &&
    isText(payload.email, 254) &&
    ["iat", "exp", "auth_time"].every((name) => isTime(payload[name])) &&
    (payload.exp as number) >= (payload.iat as number) &&
    isCustomClaims(payload);
  if (!isSound) throw new AccessTokenError("claims of a wrong type");
  return payload as unknown as AccessClaims;
}

function isText(value: unknown, maxLength: number): boolean {
  return typeof value === "string" && value.length > 0 && value.length <= maxLength;
}

function isTime(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
