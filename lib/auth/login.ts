import { randomUUID } from "node:crypto";
import type { AttemptLimit } from "../attempts/limit.ts";
import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import type { Session } from "../sessions/session.ts";
import type { SessionStore } from "../sessions/store.ts";
import { settleAll } from "../settle-all.ts";
import { createCustomClaims } from "../tokens/custom-claims.ts";
import type { IssuePair, TokenPair } from "../tokens/issue-pair.ts";
import { createRefreshToken, hashToken } from "../tokens/refresh-token.ts";
import { hashPassword, needsRehash, verifyPassword } from "../users/passwords.ts";
import type { User, UserStore } from "../users/store.ts";
import { createSweep, isSweepDue } from "./end-sessions.ts";

/** A login as it came in; the e-mail address is normalised. */
export interface LoginRequest {
  email: string;
  password: string;
  idempotencyKey: string | undefined;
  userAgent: string | undefined;
  ip: string | undefined;
}

interface LoginOptions {
  users: Pick<UserStore, "find" | "replacePasswordHash" | "noteSwept">;
  sessions: Pick<SessionStore, "put" | "delete" | "list" | "deleteAll">;
  attempts: AttemptLimit;
  issuePair: IssuePair;
  clock: Clock;
  refreshTokenTtlSeconds: number;
  sessionMaxAgeSeconds: number;
}

/** A put that was not acknowledged is tried so often in all, each time as another session. */
const putAttempts = 3;

/** Makes the use case that opens a session. */
export function createLogin({ users, sessions, attempts, issuePair, clock, ...lifetimes }: LoginOptions) {
  const sweep = createSweep({ sessions, users });

  /** Opens a session. Throws AppError `invalid_credentials`, `too_many_attempts`, `unavailable`. */
  return async function login(request: LoginRequest): Promise<TokenPair> {
    // The sessions of the user may all be ended while we work; then start again, once.
    const pair = (await tryLogin(request)) ?? (await tryLogin(request));
    if (!pair) throw new AppError("unavailable");
    return pair;
  };

  async function tryLogin(request: LoginRequest): Promise<TokenPair | undefined> {
    // Counted before the password is looked at, and with the same requests whether or not there is such a user.
    const [attempt, user] = await settleAll([attempts.count(request.email), users.find(request.email)]);
    const isVerified = await verifyPassword(user?.passwordHash, request.password);
    if (!user || !isVerified) throw new AppError("invalid_credentials");

    await attempts.succeed(request.email, attempt);
    if (isSweepDue(user)) await sweep(user);
    const { session, refreshToken } = await openSession(user, request);
    if (!(await isEpochUnmoved(user, session))) return undefined;
    if (needsRehash(user.passwordHash)) await rehash(user, request.password);
    return issuePair(session, refreshToken);
  }

  async function openSession(user: User, request: LoginRequest) {
    for (let attempt = 1; ; attempt++) {
      const refreshToken = createRefreshToken();
      const session = createSession(user, request, refreshToken);
      try {
        await sessions.put(session);
        return { session, refreshToken };
      } catch (error) {
        // It may still arrive, as a session whose token nobody holds. Ours is another one.
        if (attempt === putAttempts) throw error;
      }
    }
  }

  function createSession(user: User, request: LoginRequest, refreshToken: string): Session {
    const now = clock();
    const claims = createCustomClaims(user);
    return {
      userId: user.userId,
      sessionId: randomUUID(),
      email: user.email,
      tokenHash: hashToken(refreshToken),
      keyed: request.idempotencyKey !== undefined,
      sessionEpoch: user.sessionEpoch,
      ...(Object.keys(claims).length > 0 && { claims }),
      createdAt: now,
      expiresAt: now + Math.min(lifetimes.refreshTokenTtlSeconds, lifetimes.sessionMaxAgeSeconds),
      ...(request.userAgent !== undefined && { userAgent: request.userAgent.slice(0, 256).toWellFormed() }),
      ...(request.ip !== undefined && { ip: request.ip }),
    };
  }

  /** The session was put before this read, so a sweep of all sessions either finds it or shows here. */
  async function isEpochUnmoved(user: User, session: Session): Promise<boolean> {
    let latest: User | undefined;
    try {
      latest = await users.find(user.email);
    } catch (error) {
      await sessions.delete(session);
      throw error;
    }
    if (latest?.userId === user.userId && latest.sessionEpoch === user.sessionEpoch) return true;
    await sessions.delete(session);
    return false;
  }

  /** Not worth refusing a login for: the next one tries again. */
  async function rehash(user: User, password: string): Promise<void> {
    const to = await hashPassword(password);
    await users.replacePasswordHash(user.email, { from: user.passwordHash, to }).catch(() => false);
  }
}
