import type { SessionAddress } from "../sessions/store.ts";
import { createTokenId } from "../tokens/refresh-token.ts";
import { AccessTokenError, type VerifyExpiredToken } from "../tokens/verify-access-token.ts";

/** A pair as it was presented, or an access token alone; nothing about it is known to be true. */
export interface PresentedToken {
  token: string;
  refreshToken?: string;
}

interface GenuineOptions {
  verifyExpiredToken: VerifyExpiredToken;
  /** Whether an access token that has not expired does without its refresh token. */
  takesLiveTokens: boolean;
  /** How many are looked for; by default each that came. */
  maxSessions?: number;
}

/**
 * Makes what finds whose sessions are presented: of genuine pairs, whose token is signed and names the refresh token
 * (`jti`), whether or not it has expired, or the session has ended.
 */
export function createFindGenuineSessions({
  verifyExpiredToken,
  takesLiveTokens,
  maxSessions = Number.POSITIVE_INFINITY,
}: GenuineOptions) {
  /** Gives the sessions of those that are genuine, each once, `maxSessions` at most. */
  return async function findGenuineSessions(presented: PresentedToken[]): Promise<SessionAddress[]> {
    const sessions = new Map<string, SessionAddress>();
    for (const { token, refreshToken } of presented) {
      if (sessions.size === maxSessions) break;
      // Whichever clock is wrong, ours or the issuer's: who wants to be signed out is.
      const verified = await verifyExpiredToken(token, Number.POSITIVE_INFINITY).catch((error: unknown) => {
        if (error instanceof AccessTokenError) return undefined;
        throw error;
      });
      if (!verified) continue;
      const { claims, isExpired } = verified;
      const isPair = refreshToken !== undefined && createTokenId(refreshToken) === claims.jti;
      if (isPair || (takesLiveTokens && !isExpired))
        sessions.set(claims.sid, { userId: claims.sub, sessionId: claims.sid });
    }
    return [...sessions.values()];
  };
}
