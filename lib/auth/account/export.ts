import { pickCustomClaims } from "../../accounts/claims.ts";
import type { UserStore } from "../../accounts/store.ts";
import { isEndedByOperator, type Session } from "../../sessions/session.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { getCurrentUser } from "../current-user.ts";
import { type SessionSummary, summaryNames, toSummary } from "../session/list.ts";

interface ExportOptions {
  users: Pick<UserStore, "find">;
  sessions: Pick<SessionStore, "page">;
  sessionsNotBefore: number;
}

/** An answer stays well below what Lambda can give: 6 MB. */
const maxSessions = 1_000;

/** Makes the use case that gives everything stored about the caller but hashes, salts and our own counters. */
export function createExportAccount({ users, sessions, sessionsNotBefore }: ExportOptions) {
  /**
   * The caller's session is known to live. Throws AppError `invalid_token` if the account is gone, or all of its sessions
   * were ended, `unavailable`.
   */
  return async function exportAccount(caller: Session) {
    const user = await getCurrentUser(users, caller);
    const { userId, email, createdAt, passwordChangedAt = null, lastChange = null } = user;
    return {
      ...{ userId, email, createdAt, passwordChangedAt, lastChange },
      roles: [],
      ...pickCustomClaims(user),
      ...(await exportSessions(userId)),
    };
  };

  /** Names 1,000 sessions and counts the others. */
  async function exportSessions(userId: string) {
    const named: SessionSummary[] = [];
    let count = 0;
    let after: string | undefined;
    do {
      const page = await sessions.page(userId, summaryNames, { after });
      const counted = page.sessions.filter((session) => !isEndedByOperator(session, sessionsNotBefore));
      count += counted.length;
      named.push(...counted.slice(0, maxSessions - named.length).map(toSummary));
      after = page.next;
    } while (after !== undefined);
    return { sessions: named, sessionsLeftOut: count - named.length };
  }
}
