import type { User } from "./store.ts";

/**
 * The claims that your team adds to every access token: the one place to name them. They are decided at login and
 * kept with the session, so a refresh carries them on without another read.
 */
export interface CustomClaims {
  /** What the user may do besides being logged in; read by `requireRole`. */
  roles?: string[];
}

/** Decides the claims of a new session. Throws RangeError if they would not fit the cookie. */
export function createCustomClaims(user: User): CustomClaims {
  const claims: CustomClaims = user.roles === undefined ? {} : { roles: user.roles };
  const bytes = Buffer.byteLength(JSON.stringify(claims));
  if (bytes > maxBytes)
    throw new RangeError(`the custom claims have ${bytes} bytes, and ${maxBytes} fit the cookie`);
  return claims;
}

/** Answers whether a value is an object whose members of CustomClaims have its types; others are not looked at. */
export function isCustomClaims(value: unknown): value is Record<string, unknown> & CustomClaims {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const { roles } = value as Record<string, unknown>;
  return roles === undefined || (Array.isArray(roles) && roles.every((role) => typeof role === "string"));
}

/** So that the whole cookie stays under 2,048 bytes with the longest e-mail address. */
const maxBytes = 384;
