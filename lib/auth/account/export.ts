import { pickCustomClaims } from "../../accounts/claims.ts";
import type { UserKey, UserStore } from "../../accounts/store.ts";
import { AppError } from "../../errors.ts";
import { isEndedByOperator } from "../../sessions/session.ts";
import type { SessionStore } from "../../sessions/store.ts";
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
   * The caller's session is known to live. Throws AppError `invalid_token` if the account is gone (the address may be
   * somebody else's), or all of its sessions were ended, `unavailable`.
   */
  return async function exportAccount({ email, userId, sessionEpoch }: UserKey & { sessionEpoch: number }) {
    const user = await users.find(email);
    if (user?.userId !== userId) throw new AppError("invalid_token", { reason: "account gone" });
    if (user.sessionEpoch !== sessionEpoch)
      throw new AppError("invalid_token", { reason: "session of an earlier epoch" });
    return {
      userId,
      email,
      createdAt: user.createdAt,
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
