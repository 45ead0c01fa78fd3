import { createLogout } from "../../lib/auth/session/logout.ts";
import { createRefresh, createRotate } from "../../lib/auth/session/refresh.ts";
import type { Clock } from "../../lib/clock.ts";
import { findRearmAge, maxRearms } from "../../lib/sessions/rotation.ts";
import type { AccessClaims } from "../../lib/tokens/access-claims.ts";
import type { PairIssuer } from "../../lib/tokens/issue-pair.ts";
import { createTokenId } from "../../lib/tokens/refresh-token.ts";

/** The keys of a client that has none. */
export const noKeys = {
  idempotencyKey: undefined,
  previousIdempotencyKey: undefined,
  sessionKey: undefined,
};

type Claims = Pick<AccessClaims, "sub" | "sid" | "auth_time"> & { iat?: number };

/** A pair as the models have it: the JWT is its plain claims, for its signature is not what they are about. */
export function plainPair(claims: Claims, refreshToken: string) {
  return { token: JSON.stringify({ ...claims, jti: createTokenId(refreshToken) }), refreshToken };
}

export const pairs: PairIssuer = {
  ready: async () => {},
  async issue({ userId, sessionId, createdAt, rotatedAt, expiresAt }, refreshToken) {
    const claims = {
      sub: userId,
      sid: sessionId,
      auth_time: createdAt,
      ...(rotatedAt && { iat: rotatedAt }),
    };
    const lifetimes = { expiresInSeconds: 900, sessionExpiresInSeconds: expiresAt - createdAt };
    return { ...plainPair(claims, refreshToken), ...lifetimes, userId, sessionId };
  },
};

type Options = Parameters<typeof createRefresh>[0];

/** Makes the real refresh and logout over a store. Lifetimes are 30 s, a day and 30 days where none are given. */
export function createUseCases({
  settings,
  clock,
  ...options
}: Pick<Options, "sessions"> & {
  clock: Clock;
  noteEvent?: Options["noteEvent"];
  settings: Partial<Options["settings"]>;
}) {
  const verifyExpiredToken = async (token: string) => ({ claims: JSON.parse(token), isExpired: true });
  const parts = {
    ...{ verifyExpiredToken, pairs, noteSession: () => {}, noteEvent: () => {}, ...options },
    clockMs: () => clock() * 1000,
    settings: {
      ...{ refreshWindowSeconds: 10, refreshMinIntervalSeconds: 30, refreshTokenTtlSeconds: 86_400 },
      rearmAfterSeconds: findRearmAge(settings.refreshMinIntervalSeconds ?? 30),
      maxRearms,
      ...{ sessionMaxAgeSeconds: 2_592_000, sessionsNotBefore: 0, ...settings },
    },
  };
  return {
    refresh: createRefresh(parts),
    rotate: createRotate(parts),
    logout: createLogout({ verifyExpiredToken, sessions: options.sessions }),
  };
}
