import { type ClockMs, toSeconds } from "../../clock.ts";
import type { DeviceKey } from "../../device-binding/challenge.ts";
import { deviceProofRequired } from "../../device-binding/refusals.ts";
import { AppError } from "../../errors.ts";
import { type ClientKeys, hashClientKeys, sessionKeyRequired } from "../../sessions/presented-keys.ts";
import { classify, type RotationAttempt, type RotationSettings } from "../../sessions/rotation.ts";
import type { Client } from "../../sessions/session.ts";
import type { SessionStore, WriteResult } from "../../sessions/store.ts";
import type { AccessClaims } from "../../tokens/access-claims.ts";
import type { PairIssuer, TokenPair } from "../../tokens/issue-pair.ts";
import { createRotationSalt, deriveSuccessor, hashToken, isSameHash } from "../../tokens/refresh-token.ts";
import { createVerifyPair, type PresentedPair, type VerifyPairOptions } from "./verify-pair.ts";

/** One refresh as it came in. */
export interface RefreshRequest extends PresentedPair, Client, Partial<ClientKeys> {}

/** What replaces a pair. */
export interface RotateOptions {
  sessions: Pick<SessionStore, "rotate" | "rearm" | "delete">;
  pairs: PairIssuer;
  clockMs: ClockMs;
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
export function createRefresh(options: RotateOptions & VerifyPairOptions) {
  const verifyPair = createVerifyPair(options);
  const rotate = createRotate(options);

  /**
   * Verifies the pair and replaces it. Throws AppError `invalid_jwt_token`, `invalid_refresh_token`, `session_key_required`,
   * `device_proof_required`, `token_expired`, `unavailable`.
   */
  return async function refresh(request: RefreshRequest): Promise<TokenPair> {
    return rotate(await verifyPair(request), request);
  };
}

/** Makes the rotation of a pair that has been verified. */
export function createRotate({ sessions, pairs, clockMs, noteEvent, settings }: RotateOptions) {
  /**
   * Replaces the pair by its successor with one conditional write, or repeats the response to the write that did.
   * `deviceKey` is the key whose proof the request carries. Throws AppError `session_key_required`, `device_proof_required`,
   * `token_expired`, `unavailable`.
   */
  return async function rotate(
    claims: AccessClaims,
    pair: RefreshRequest,
    deviceKey?: DeviceKey,
  ): Promise<TokenPair> {
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
      deviceKey,
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
        case "unproven": {
          // A script's request, when the browser has just renewed the pair: it gets the very pair that it has, none that is re-armed.
          const { tokenHash, rotatedAt, rotatedAtMs = 0 } = verdict.session;
          const isFresh = rotatedAtMs > rotation.notRotatedSinceMs && claims.iat === rotatedAt;
          if (isFresh && isSameHash(tokenHash, attempt.presentedHash))
            return pairs.issue(verdict.session, pair.refreshToken);
          throw deviceProofRequired();
        }
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
}
