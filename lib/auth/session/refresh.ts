import { type ClockMs, toSeconds } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import { type ClientKeys, hashClientKeys, sessionKeyRequired } from "../../sessions/presented-keys.ts";
import { classify, type RotationAttempt, type RotationSettings } from "../../sessions/rotation.ts";
import type { Client } from "../../sessions/session.ts";
import type { SessionAddress, SessionStore, WriteResult } from "../../sessions/store.ts";
import type { AccessClaims } from "../../tokens/access-claims.ts";
import type { PairIssuer, TokenPair } from "../../tokens/issue-pair.ts";
import {
  createRotationSalt,
  createTokenId,
  deriveSuccessor,
  hashToken,
  isRefreshToken,
} from "../../tokens/refresh-token.ts";
import {
  AccessTokenError,
  isOurClockSlow,
  type VerifyExpiredToken,
} from "../../tokens/verify-access-token.ts";

/** One refresh as it came in. */
export interface RefreshRequest extends PresentedPair, Client, ClientKeys {}

/** A pair as it was presented; nothing about it is known to be true. */
export interface PresentedPair {
  token: string;
  refreshToken: string;
  /** When it came, by the gateway's clock; epoch seconds. */
  receivedAt?: number | undefined;
}

interface RefreshOptions {
  sessions: Pick<SessionStore, "rotate" | "rearm" | "delete">;
  verifyExpiredToken: VerifyExpiredToken;
  pairs: PairIssuer;
  clockMs: ClockMs;
  /** Told whose session it is as soon as the access token has been verified, whatever becomes of it. */
  noteSession: (session: SessionAddress) => Promise<void> | void;
  /** Told what a presented pair meant, as soon as that is known. */
  noteEvent: (event: "authn_token_reuse" | "authn_token_repeat_unproven") => void;
  settings: RotationSettings & {
    refreshTokenTtlSeconds: number;
    refreshMinIntervalSeconds: number;
    sessionMaxAgeSeconds: number;
    sessionsNotBefore: number;
  };
}

/** Another request can move the session between our look and our write; each time it is classified again. */
const maxLooks = 4;

/** Makes the use case that replaces a pair by its successor (docs/rotation.md). */
export function createRefresh({
  sessions,
  verifyExpiredToken,
  pairs,
  clockMs,
  noteSession,
  noteEvent,
  settings,
}: RefreshOptions) {
  /**
   * Replaces the pair by its successor with one conditional write, or repeats the response to the write that did.
   * Throws AppError `invalid_jwt_token`, `invalid_refresh_token`, `session_key_required`, `token_expired`, `unavailable`.
   */
  return async function refresh(pair: RefreshRequest): Promise<TokenPair> {
    const claims = await verifyPair(pair);
    const key = { userId: claims.sub, sessionId: claims.sid };
    const nowMs = clockMs();
    const now = toSeconds(nowMs);
    const sessionEndsAt = claims.auth_time + settings.sessionMaxAgeSeconds;
    if (claims.auth_time < settings.sessionsNotBefore)
      throw new AppError("token_expired", { reason: "session ended by the operator" });
    if (sessionEndsAt <= now) throw new AppError("token_expired", { reason: "session at its maximum age" });
    const expiresAt = Math.min(now + settings.refreshTokenTtlSeconds, sessionEndsAt);

    const attempt: RotationAttempt = {
      presentedHash: hashToken(pair.refreshToken),
      rotationSalt: createRotationSalt(),
      ...hashClientKeys(pair),
      nowMs,
    };
    const successor = deriveSuccessor(pair.refreshToken, attempt.rotationSalt);
    const rotation = {
      ...attempt,
      successorHash: hashToken(successor),
      notRotatedSinceMs: nowMs - settings.refreshMinIntervalSeconds * 1000,
      expiresAt,
      client: pair,
    };
    let result: WriteResult = await sessions.rotate(key, rotation);
    if (result.written) return pairs.issue(result.session, successor);

    for (let look = 1; look <= maxLooks; look++) {
      const verdict = classify(result.session, attempt, settings);
      switch (verdict.is) {
        case "over":
          throw new AppError("token_expired", {
            reason: result.session ? "session expired" : "session gone",
          });
        case "key-missing":
          throw sessionKeyRequired();
        case "replay":
          // If the deletion is not confirmed this throws `unavailable`: the next use meets the same verdict.
          await sessions.delete(key);
          noteEvent("authn_token_reuse");
          throw new AppError("token_expired");
        case "own-write":
          return pairs.issue(verdict.session, successor);
        case "current":
          return pairs.issue(verdict.session, pair.refreshToken);
        case "repeat": {
          if (!verdict.proven) noteEvent("authn_token_repeat_unproven");
          const repeated = deriveSuccessor(pair.refreshToken, verdict.session.rotationSalt);
          if (!verdict.rearm) return pairs.issue(verdict.session, repeated);
          result = await sessions.rearm(verdict.session, { nowMs, expiresAt });
          if (result.written) return pairs.issue(result.session, repeated);
        }
      }
    }
    throw new AppError("unavailable");
  };

  /** Refuses, without touching the database, what we have not issued as one pair. */
  async function verifyPair({ token, refreshToken, receivedAt }: PresentedPair): Promise<AccessClaims> {
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
  }
}
