import type { SessionKey, SessionStore } from "../../sessions/store.ts";
import { createTokenId } from "../../tokens/refresh-token.ts";
import { AccessTokenError, type VerifyExpiredToken } from "../../tokens/verify-access-token.ts";

interface LogoutOptions {
  sessions: Pick<SessionStore, "delete">;
  verifyExpiredToken: VerifyExpiredToken;
}

/** Makes the use case that ends a session. */
export function createLogout({ sessions, verifyExpiredToken }: LogoutOptions) {
  /**
   * Ends the session of a genuine pair, whose token may have expired, or of a live token, and tells which that is,
   * whether or not it was ended before.
   * Does nothing for other credentials. Throws AppError `unavailable`: then the session may still live.
   */
  return async function logout({
    token,
    refreshToken,
  }: {
    token: string;
    refreshToken?: string;
  }): Promise<SessionKey | undefined> {
    const verified = await verifyExpiredToken(token).catch((error: unknown) => {
      if (error instanceof AccessTokenError) return undefined;
      throw error;
    });
    if (!verified) return undefined;
    const { claims, isExpired } = verified;
    const isPair = refreshToken !== undefined && createTokenId(refreshToken) === claims.jti;
    if (!isPair && isExpired) return undefined;
    const session = { userId: claims.sub, sessionId: claims.sid };
    await sessions.delete(session);
    return session;
  };
}
