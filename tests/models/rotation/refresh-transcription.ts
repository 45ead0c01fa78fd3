import type { createRefresh } from "../../../lib/auth/session/refresh.ts";
import { AppError } from "../../../lib/errors.ts";
import type { classify as realClassify } from "../../../lib/sessions/rotation.ts";
import type { WriteResult } from "../../../lib/sessions/store.ts";
import { createRotationSalt, deriveSuccessor, hashToken } from "../../../lib/tokens/refresh-token.ts";

/**
 * The steps of lib/auth/session/refresh.ts with the classification as an argument, for planted mistakes only.
 * A test shows that with the real one it is the real use case, schedule by schedule.
 */
export function transcribeRefresh(classify: typeof realClassify): typeof createRefresh {
  return ({ sessions, verifyExpiredToken, issuePair, clock, settings }) =>
    async ({ token, refreshToken, idempotencyKey }) => {
      const { claims } = await verifyExpiredToken(token);
      const key = { userId: claims.sub, sessionId: claims.sid };
      const now = clock();
      const times = { now, expiresAt: now + settings.refreshTokenTtlSeconds };
      const keyHash = idempotencyKey === undefined ? undefined : hashToken(idempotencyKey);
      const attempt = {
        ...{ presentedHash: hashToken(refreshToken), rotationSalt: createRotationSalt(), keyHash, now },
      };
      const ours = deriveSuccessor(refreshToken, attempt.rotationSalt);
      let result: WriteResult = await sessions.rotate(key, {
        ...attempt,
        ...times,
        successorHash: hashToken(ours),
        notRotatedSince: now - settings.refreshMinIntervalSeconds,
      });
      if (result.written) return issuePair(result.session, ours);
      for (let look = 1; look <= 4; look++) {
        const verdict = classify(result.session, attempt, settings);
        if (verdict.is === "over") throw new AppError("token_expired");
        if (verdict.is === "replay") {
          await sessions.delete(key);
          throw new AppError("token_expired");
        }
        if (verdict.is === "own-write") return issuePair(verdict.session, ours);
        if (verdict.is === "current") return issuePair(verdict.session, refreshToken);
        const successor = deriveSuccessor(refreshToken, verdict.session.rotationSalt);
        if (!verdict.rearm) return issuePair(verdict.session, successor);
        result = await sessions.rearm(verdict.session, times);
        if (result.written) return issuePair(result.session, successor);
      }
      throw new AppError("unavailable");
    };
}
