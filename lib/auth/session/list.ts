import { type Clock, toSeconds } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import { authTimeOf } from "../../sessions/auth-time.ts";
import { getLiveSession } from "../../sessions/live.ts";
import { isEndedByOperator, type Session } from "../../sessions/session.ts";
import { isSessionId, type SessionAddress, type SessionStore } from "../../sessions/store.ts";
import { settleAll } from "../../settle-all.ts";

/** A session as its user may see it. Times are epoch seconds. */
export interface SessionSummary {
  sessionId: string;
  createdAt: number;
  renewedAt: number | null;
  expiresAt: number;
  userAgent: string | null;
  ip: string | null;
  /** Only the browser of its login can renew it (lib/device-binding). */
  isDeviceBound: boolean;
}

/** What is read for it: no hash, no salt. */
export const summaryNames = [
  "sessionId",
  "createdAt",
  "authenticatedAt",
  "renewedAtMs",
  "expiresAt",
  "userAgent",
  "ip",
  "deviceKey",
] as const;

/** Turns a stored session into what its user may see. */
export function toSummary(session: Pick<Session, (typeof summaryNames)[number]>): SessionSummary {
  const { sessionId, renewedAtMs, expiresAt, userAgent = null, ip = null, deviceKey } = session;
  const renewedAt = renewedAtMs === undefined ? null : toSeconds(renewedAtMs);
  const isDeviceBound = deviceKey !== undefined;
  return { sessionId, createdAt: authTimeOf(session), renewedAt, expiresAt, userAgent, ip, isDeviceBound };
}

/** One page of the list, and where the next one begins; null: there is none. */
export interface SessionPage {
  sessions: (SessionSummary & { current: boolean })[];
  nextCursor: string | null;
}

interface ListOptions {
  sessions: Pick<SessionStore, "page" | "find">;
  clock: Clock;
  sessionsNotBefore: number;
}

const pageSize = 100;

/** Makes the use case that lists the live sessions of a user, in the order of their ids. */
export function createListSessions({ sessions, clock, sessionsNotBefore }: ListOptions) {
  /**
   * Gives the page after `cursor`, the id of a session, and marks the caller's own. A page is 100 sessions without those
   * of them that are over. Throws AppError `invalid_cursor`, `invalid_token` for an ended session, `unavailable`.
   */
  return async function listSessions(caller: SessionAddress, cursor: unknown): Promise<SessionPage> {
    if (cursor !== undefined && !isSessionId(cursor)) {
      throw new AppError("invalid_cursor", { detail: "Take the cursor from nextCursor of the page before." });
    }
    const now = clock();
    const { userId, sessionId } = caller;
    const [page, own] = await settleAll([
      sessions.page(userId, [...summaryNames, "sessionEpoch"], { after: cursor, limit: pageSize }),
      getLiveSession(sessions, caller, now),
    ]);
    // The caller's is over: all sessions of its epoch were ended, and it has not been deleted yet.
    if (page.sessions.some(({ sessionEpoch }) => sessionEpoch > own.sessionEpoch))
      throw new AppError("invalid_token", { reason: "session of an earlier epoch" });
    const live = page.sessions.filter(
      (session) => session.expiresAt > now && !isEndedByOperator(session, sessionsNotBefore),
    );
    const entries = live.map((session) => ({
      ...toSummary(session),
      current: session.sessionId === sessionId,
    }));
    return { sessions: entries, nextCursor: page.next ?? null };
  };
}
