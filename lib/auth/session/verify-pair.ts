import { AppError } from "../../errors.ts";
import type { SessionAddress } from "../../sessions/store.ts";
import type { AccessClaims } from "../../tokens/access-claims.ts";
import type { PairIssuer } from "../../tokens/issue-pair.ts";
import { createTokenId, isRefreshToken } from "../../tokens/refresh-token.ts";
import {
  AccessTokenError,
  isOurClockSlow,
  type VerifyExpiredToken,
} from "../../tokens/verify-access-token.ts";

/** A pair as it was presented; nothing about it is known to be true. */
export interface PresentedPair {
  token: string;
  refreshToken: string;
  /** When it came, by the gateway's clock; epoch seconds. */
  receivedAt?: number | undefined;
}

/** What tells whether a pair is one of ours. */
export interface VerifyPairOptions {
  verifyExpiredToken: VerifyExpiredToken;
  pairs: Pick<PairIssuer, "ready">;
  /** Told whose session it is as soon as the access token has been verified, whatever becomes of it. */
  noteSession: (session: SessionAddress) => Promise<void> | void;
}

/** Makes the check of a pair that is to be renewed; its access token may have expired. */
export function createVerifyPair({ verifyExpiredToken, pairs, noteSession }: VerifyPairOptions) {
  /**
   * Refuses, without touching the database, what we have not issued as one pair. Throws AppError `invalid_jwt_token`,
   * `invalid_refresh_token`, `token_expired`, `unavailable`.
   */
  return async function verifyPair({
    token,
    refreshToken,
    receivedAt,
  }: PresentedPair): Promise<AccessClaims> {
    const { claims } = await verifyExpiredToken(token).catch(async (error: unknown) => {
      if (!(error instanceof AccessTokenError)) throw error;
      const { reason } = error;
      if (reason !== "issued in the future")
        throw new AppError("invalid_jwt_token", { reason, cause: error });
      const isOursSlow = await isOurClockSlow(error, () => verifyExpiredToken(token, receivedAt));
      throw new AppError(isOursSlow ? "unavailable" : "token_expired", { reason, cause: error });
    });
    await pairs.ready();
    await noteSession({ userId: claims.sub, sessionId: claims.sid });
    if (!isRefreshToken(refreshToken) || createTokenId(refreshToken) !== claims.jti) {
      throw new AppError("invalid_refresh_token");
    }
    return claims;
  };
}
