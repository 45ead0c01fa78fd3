import { randomUUID } from "node:crypto";
import { createCustomClaims } from "../../accounts/claims.ts";
import type { User, UserStore } from "../../accounts/store.ts";
import type { AttemptLimit } from "../../attempts/account-limit.ts";
import type { Devices } from "../../attempts/known-devices.ts";
import type { SourceLimit } from "../../attempts/source-limit.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import { hashPassword, needsRehash, verifyPassword } from "../../factors/password-hash.ts";
import type { Session } from "../../sessions/session.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { settleAll } from "../../settle-all.ts";
import type { IssuePair, TokenPair } from "../../tokens/issue-pair.ts";
import { createRefreshToken, hashToken } from "../../tokens/refresh-token.ts";
import { createSweep, isSweepDue } from "../session/revoke-all.ts";

/** A login as it came in; the e-mail address is normalised. */
export interface LoginRequest {
  email: string;
  password: string;
  idempotencyKey: string | undefined;
  userAgent: string | undefined;
  ip: string | undefined;
  /** What the browser keeps of earlier logins (lib/attempts/known-devices.ts). */
  device: string | undefined;
}

/** What a login gives: the pair, and what the browser is to keep beside it. */
export interface Login {
  pair: TokenPair;
  device: string;
}

interface LoginOptions {
  users: Pick<UserStore, "find" | "replacePasswordHash" | "noteSwept">;
  sessions: Pick<SessionStore, "put" | "delete" | "list" | "deleteAll">;
  attempts: AttemptLimit;
  devices: Pick<Devices, "remember">;
  sources: SourceLimit;
  issuePair: IssuePair;
  clock: Clock;
  refreshTokenTtlSeconds: number;
  sessionMaxAgeSeconds: number;
}

/** A put that was not acknowledged is tried so often in all, each time as another session. */
const putAttempts = 3;

/** Makes the use case that opens a session. */
export function createLogin(options: LoginOptions) {
  const { users, sessions, attempts, devices, sources, issuePair, clock, ...lifetimes } = options;
  const sweep = createSweep({ sessions, users });

  /**
   * Opens a session. Throws AppError `invalid_credentials`, `too_many_attempts`, `too_many_requests`, `unavailable`.
   */
  return async function openLogin(request: LoginRequest): Promise<Login> {
    // Before anything is counted at the account: an address that is over its limit must not lock one.
    await sources.count(request.ip);
    // The sessions of the user may all be ended while we work; then start again, once.
    const login = (await tryLogin(request)) ?? (await tryLogin(request));
    if (!login) throw new AppError("unavailable");
    return login;
  };

  async function tryLogin(request: LoginRequest): Promise<Login | undefined> {
    const { email, password, device } = request;
    // Counted before the password is looked at, and with the same requests whether or not there is such a user.
    const [attempt, user] = await settleAll([attempts.count(email, device), users.find(email)]);
    const isVerified = await verifyPassword(user?.passwordHash, password);
    if (!user || !isVerified) throw new AppError("invalid_credentials");

    // A browser that was known goes on with a new row.
    if (!attempt.isKnownDevice) await attempts.succeed(attempt);
    if (isSweepDue(user)) await sweep(user);
    const { session, refreshToken } = await openSession(user, request);
    if (!(await isEpochUnmoved(user, session))) return undefined;
    if (needsRehash(user.passwordHash)) await rehash(user, password);
    const pair = await issuePair(session, refreshToken);
    return { pair, device: await devices.remember(email, device) };
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
