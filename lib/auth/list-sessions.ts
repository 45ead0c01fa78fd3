import type { Clock } from "../clock.ts";
import type { Session } from "../sessions/session.ts";
import type { SessionStore } from "../sessions/store.ts";

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

/** Makes the use case that lists the live sessions of a user, newest first. */
export function createListSessions({
  sessions,
  clock,
}: {
  sessions: Pick<SessionStore, "list">;
  clock: Clock;
}) {
  return async function listSessions(userId: string): Promise<SessionSummary[]> {
    const now = clock();
    const all = await sessions.list(userId, summaryNames);
    return all
      .filter(({ expiresAt }) => expiresAt > now)
      .sort((a, b) => b.createdAt - a.createdAt || (a.sessionId < b.sessionId ? -1 : 1))
      .map(toSummary);
  };
}
