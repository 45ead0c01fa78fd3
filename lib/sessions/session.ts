import { type CustomClaims, isCustomClaims } from "../accounts/claims.ts";
import type { Item } from "../dynamodb.ts";
import { AppError } from "../errors.ts";

/** A session as the table holds it. Times are epoch seconds; hashes and the salt are base64url. */
export interface Session {
  userId: string;
  sessionId: string;
  email: string;
  /** SHA-256 of the refresh token that is current. */
  tokenHash: string;
  /** SHA-256 of the refresh token before it; absent until the first rotation, like the next two. */
  previousTokenHash?: string;
  rotationSalt?: string;
  rotatedAt?: number;
  /** SHA-256 of the Idempotency-Key of the last rotation; absent when it came without one. */
  rotationKeyHash?: string;
  /** The login carried an Idempotency-Key: a predecessor is accepted with its key only. */
  keyed: boolean;
  /** The user's `sessionEpoch` at login (absent: 0): when that is raised, the sessions of older epochs are ended. */
  sessionEpoch?: number;
  /** What the team adds to the access token; fixed at login. */
  claims?: CustomClaims;
  createdAt: number;
  expiresAt: number;
  userAgent?: string;
  ip?: string;
}

const required = {
  userId: "string",
  sessionId: "string",
  email: "string",
  tokenHash: "string",
  createdAt: "number",
  expiresAt: "number",
} as const;
const optional = {
  previousTokenHash: "string",
  rotationSalt: "string",
  rotatedAt: "number",
  rotationKeyHash: "string",
  keyed: "boolean",
  userAgent: "string",
  ip: "string",
  sessionEpoch: "number",
} as const;

/** Reads an item of the table. A damaged one is our trouble, not the client's: throws AppError `unavailable`. */
export function parseSession(item: Item): Session {
  const isSound =
    Object.entries(required).every(([name, type]) => typeof item[name] === type) &&
    Object.entries(optional).every(
      ([name, type]) => item[name] === undefined || typeof item[name] === type,
    ) &&
    (item.claims === undefined || isCustomClaims(item.claims));
  if (!isSound)
    throw new AppError("unavailable", { cause: new TypeError("a session item has a wrong shape") });
  return { ...item, keyed: item.keyed === true } as Session;
}
