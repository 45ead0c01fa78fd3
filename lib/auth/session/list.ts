import type { Clock } from "../../clock.ts";
import type { Session } from "../../sessions/session.ts";
import type { SessionKey, SessionStore } from "../../sessions/store.ts";
import { paginate } from "./paginate.ts";

/** A session as its user may see it. Times are epoch seconds. */
export interface SessionSummary {
  sessionId: string;
  createdAt: number;
  renewedAt: number | null;
  expiresAt: number;
  userAgent: string | null;
  ip: string | null;
}

/** What leaves the table: no hash, no salt. */
export const summaryNames = ["sessionId", "createdAt", "rotatedAt", "expiresAt", "userAgent", "ip"] as const;

/** Turns a stored session into what its user may see. */
export function toSummary(session: Pick<Session, (typeof summaryNames)[number]>): SessionSummary {
  const { rotatedAt = null, userAgent = null, ip = null, ...others } = session;
  return { ...others, renewedAt: rotatedAt, userAgent, ip };
}

/** One page of the list, and where the next one begins; null: there is none. */
export interface SessionPage {
  sessions: (SessionSummary & { current: boolean })[];
  nextCursor: string | null;
}

/** Makes the use case that lists the live sessions of a user, newest first, 100 at a time. */
export function createListSessions({
  sessions,
  clock,
}: {
  sessions: Pick<SessionStore, "list">;
  clock: Clock;
}) {
  /** Gives the page after `cursor`, which marks the caller's own session. Throws AppError `invalid_cursor`, `unavailable`. */
  return async function listSessions(
    { userId, sessionId }: SessionKey,
    cursor: unknown,
  ): Promise<SessionPage> {
    const now = clock();
    const all = await sessions.list(userId, summaryNames);
    const live = all
      .filter(({ expiresAt }) => expiresAt > now)
      .sort((a, b) => b.createdAt - a.createdAt || (a.sessionId < b.sessionId ? -1 : 1));
    const { page, nextCursor } = paginate(live, cursor);
    const toEntry = (session: (typeof page)[number]) => {
      return { ...toSummary(session), current: session.sessionId === sessionId };
    };
    return { sessions: page.map(toEntry), nextCursor };
  };
}
