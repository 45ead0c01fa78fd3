import { createHash, createHmac, createSecretKey, randomBytes, timingSafeEqual } from "node:crypto";

/** 32 bytes as canonical base64url: the last of the 43 characters carries four bits only (RFC 4648, 3.5). */
const canonical = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/** Makes the first refresh token of a session: 32 random bytes, base64url. */
export function createRefreshToken(): string {
  return randomBytes(32).toString("base64url");
}

/** Makes the salt of one rotation: 32 random bytes, base64url. */
export const createRotationSalt = createRefreshToken;

/** Answers whether the value has the form of a refresh token: 43 canonical base64url characters. */
export function isRefreshToken(value: unknown): value is string {
  return typeof value === "string" && canonical.test(value);
}

/** SHA-256 over the ASCII text, base64url: what the table stores of a refresh token or an Idempotency-Key. */
export function hashToken(token: string): string {
  return createHash("sha256").update(token, "ascii").digest("base64url");
}

/** Compares two stored hashes in constant time. */
export function isSameHash(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/**
 * The one successor of a refresh token: HMAC-SHA-256(key = rotation salt, token), base64url.
 * Whoever presents the same predecessor gets the same successor; the salt alone derives nothing.
 */
export function deriveSuccessor(token: string, rotationSalt: string): string {
  // Node 24 takes ten times as long for a key that is no KeyObject
  return createHmac("sha256", createSecretKey(rotationSalt, "base64url"))
    .update(token, "ascii")
    .digest("base64url");
}

/** The `jti` that ties a JWT to its refresh token: base64url of the first 16 bytes of SHA-256(token). */
export function createTokenId(refreshToken: string): string {
  return createHash("sha256").update(refreshToken, "ascii").digest().subarray(0, 16).toString("base64url");
}
