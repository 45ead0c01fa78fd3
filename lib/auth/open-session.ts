import { randomUUID } from "node:crypto";
import { createCustomClaims } from "../accounts/claims.ts";
import { isDisabled } from "../accounts/is-disabled.ts";
import type { User, UserStore } from "../accounts/store.ts";
import type { Clock } from "../clock.ts";
import type { DeviceChallenges } from "../device-binding/challenge.ts";
import type { Amr } from "../sessions/amr.ts";
import { authTimeOf } from "../sessions/auth-time.ts";
import { type Client, type Session, toNoted } from "../sessions/session.ts";
import type { SessionStore } from "../sessions/store.ts";
import { settleAll } from "../settle-all.ts";
import type { PairIssuer, TokenPair } from "../tokens/issue-pair.ts";
import { createRefreshToken, createTokenId, hashToken } from "../tokens/refresh-token.ts";
import { createSweep, isSweepDue } from "./sweep.ts";

/** What a session notes of the request that opens it. */
export interface SessionRequest extends Client {
  idempotencyKey: string | undefined;
  sessionKey: string | undefined;
  /** How the request proves the user, where it does so with two factors. */
  amr?: Amr | undefined;
  /** Names each session that is tried, and makes its refresh token; by default both are random. */
  nextSession?: () => { sessionId: string; refreshToken: string };
  /** The session in whose place it comes, where the request itself does not prove the user. */
  replaced?: Session;
}

/** The first pair of a session, and what a browser signs that binds a key to it. */
export interface NewPair extends TokenPair {
  deviceChallenge?: string;
}

/** What opens a session: the token pair, and what the client is to keep beside it. */
export interface OpenedSession {
  pair: NewPair;
  /** What recognises the client at later logins (lib/attempts/known-devices.ts). */
  device: string;
}

/**
 * Decides, after the session has been put, whether the user may have it: false if the user's sessions were all ended
 * meanwhile, or the account is disabled. Whoever claims something that can be used once does it here, on condition of the
 * user's epoch.
 */
export type ConfirmUser = (user: User) => Promise<boolean>;

/** What a way in does about a session that has been put. */
export interface Confirmation {
  /** By default the re-read of the user. */
  confirm?: ConfirmUser;
  /** Sent beside it, whatever comes of it; never throws. */
  meanwhile?: (() => Promise<void>) | undefined;
}

interface OpenSessionOptions {
  users: Pick<UserStore, "find" | "noteSwept">;
  sessions: Pick<SessionStore, "put" | "delete" | "list" | "deleteAll">;
  pairs: PairIssuer;
  /** Undefined where browsers bind no keys to sessions. */
  challenges: Pick<DeviceChallenges, "toBind"> | undefined;
  clock: Clock;
  refreshTokenTtlSeconds: number;
  sessionMaxAgeSeconds: number;
}

/** Opens a session of a user who has been proven. */
export type OpenSession = ReturnType<typeof createOpenSession>;

const createNames = () => ({ sessionId: randomUUID(), refreshToken: createRefreshToken() });

/** A put that was not acknowledged is tried three times in all, each time as another session. */
const putAttempts = 3;

/** Makes the one way to a session: keys ready, put, sweep if due, confirm, token pair. */
export function createOpenSession(options: OpenSessionOptions) {
  const { users, sessions, pairs, challenges, clock, ...lifetimes } = options;
  const sweep = createSweep({ sessions, users });

  /**
   * Opens the session and gives its token pair; undefined, and nothing is left, if all sessions of the user were ended
   * meanwhile. Throws AppError `unavailable`.
   */
  return async function openSession(
    user: User,
    request: SessionRequest,
    confirmation: Confirmation = {},
  ): Promise<NewPair | undefined> {
    await pairs.ready();
    const { session, refreshToken } = await put(user, request);
    // Signed beside the request that decides; without its yes nobody gets the pair
    const [isSure, pair] = await settleAll([
      isConfirmed(user, session, confirmation),
      pairs.issue(session, refreshToken),
    ]);
    if (!isSure) return undefined;
    if (!challenges || session.deviceKey !== undefined) return pair;
    return { ...pair, deviceChallenge: await challenges.toBind(createTokenId(refreshToken)) };
  };

  async function put(user: User, request: SessionRequest) {
    for (let attempt = 1; ; attempt++) {
      const { nextSession = createNames } = request;
      const { sessionId, refreshToken } = nextSession();
      const session = createSession(user, request, sessionId, refreshToken);
      try {
        await sessions.put(session);
        return { session, refreshToken };
      } catch (error) {
        // It may still arrive, as a session whose token nobody holds. Ours is another one.
        if (attempt === putAttempts) throw error;
      }
    }
  }

  function createSession(
    user: User,
    request: SessionRequest,
    sessionId: string,
    refreshToken: string,
  ): Session {
    const now = clock();
    const claims = createCustomClaims(user);
    const proof = createProof(request);
    const endsAt = authTimeOf({ createdAt: now, ...proof }) + lifetimes.sessionMaxAgeSeconds;
    return {
      userId: user.userId,
      sessionId,
      email: user.email,
      tokenHash: hashToken(refreshToken),
      ...(request.idempotencyKey !== undefined && { rotationKeyHash: hashToken(request.idempotencyKey) }),
      sessionEpoch: user.sessionEpoch,
      ...(Object.keys(claims).length > 0 && { claims }),
      createdAt: now,
      expiresAt: Math.min(now + lifetimes.refreshTokenTtlSeconds, endsAt),
      ...proof,
      ...toNoted(request),
    };
  }

  /** What a session has of whoever proved the user: the request, or the login of the session in whose place it comes. */
  function createProof({ idempotencyKey, sessionKey, replaced, ...request }: SessionRequest) {
    const { amr } = replaced ?? request;
    const { deviceKey } = replaced ?? {};
    const sessionKeyHash = replaced ? replaced.sessionKeyHash : sessionKey && hashToken(sessionKey);
    return {
      keyed: replaced?.keyed ?? idempotencyKey !== undefined,
      ...(sessionKeyHash !== undefined && { sessionKeyHash }),
      ...(deviceKey !== undefined && { deviceKey }),
      ...(replaced && { authenticatedAt: authTimeOf(replaced) }),
      ...(amr && { amr }),
    };
  }

  /** Whatever does not confirm the user leaves no session. */
  async function isConfirmed(
    user: User,
    session: Session,
    { confirm = isStillLetIn, meanwhile }: Confirmation,
  ): Promise<boolean> {
    try {
      // The session is of the user's epoch: it stays.
      if (isSweepDue(user)) await sweep(user);
      const [isSure] = await settleAll([confirm(user), meanwhile?.()]);
      if (isSure) return true;
    } catch (error) {
      await sessions.delete(session);
      throw error;
    }
    await sessions.delete(session);
    return false;
  }

  /** The session was put before this read, so a sweep of all sessions either finds it or shows here. */
  async function isStillLetIn({ userId, sessionEpoch }: User): Promise<boolean> {
    const latest = await users.find(userId);
    return latest?.sessionEpoch === sessionEpoch && !isDisabled(latest, clock());
  }
}
