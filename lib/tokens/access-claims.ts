import * as v from "valibot";
import { customClaims } from "../accounts/claims.ts";

// One function for each kind of value: the pipes that would say the same take 3 KiB of every bundle that verifies.
const text = (maxLength: number) =>
  v.custom<string>((value) => typeof value === "string" && value.length > 0 && value.length <= maxLength);
const time = v.custom<number>((value) => Number.isSafeInteger(value) && (value as number) >= 0);
/** jose compares it with the expected one. */
const audience = v.custom<string | string[]>((value) => value !== undefined);

/** The claims of an access token of ours (RFC 9068, section 2.2). Times are epoch seconds. */
export const accessClaims = v.object({
  iss: text(256),
  aud: audience,
  client_id: text(256),
  /** The user id. */
  sub: text(256),
  /** The session id. */
  sid: text(256),
  email: text(254),
  /** When the session was created. */
  auth_time: time,
  iat: time,
  exp: time,
  /** Ties the token to its refresh token. */
  jti: text(256),
  /** How the user was proven, and the class of that; absent where it was one factor alone (RFC 8176, RFC 9068, 2.2.1). */
  amr: v.exactOptional(v.array(v.string())),
  acr: v.exactOptional(v.string()),
  ...customClaims,
});

/** The claims of an access token of ours. */
export type AccessClaims = v.InferOutput<typeof accessClaims>;

/** The names of all claims that our tokens may have. */
export const claimNames = Object.keys(accessClaims.entries);
