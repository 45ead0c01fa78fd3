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
  createdAt: number;
  expiresAt: number;
  userAgent?: string;
  ip?: string;
}
