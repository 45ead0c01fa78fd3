import { pickCustomClaims } from "../../accounts/claims.ts";
import { summarizeFactors } from "../../accounts/factor-summary.ts";
import type { IdentityStore } from "../../accounts/identities.ts";
import type { User, UserStore } from "../../accounts/store.ts";
import type { AuditStore } from "../../audit/store.ts";
import type { Clock } from "../../clock.ts";
import { viewPasskeys } from "../../passkeys/passkey.ts";
import { isEndedByOperator, type Session } from "../../sessions/session.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { settleAll } from "../../settle-all.ts";
import { getCurrentUser } from "../current-user.ts";
import { findIdentities } from "../identities/list.ts";
import { type SessionSummary, summaryNames, toSummary } from "../session/list.ts";

interface ExportOptions {
  sessions: Pick<SessionStore, "page">;
  identities: Pick<IdentityStore, "find">;
  /** Undefined where no mail is on: then there is no audit trail. */
  audit: Pick<AuditStore, "list"> | undefined;
  sessionsNotBefore: number;
}

/** An answer stays well below what Lambda can give: 6 MB. */
const maxSessions = 1_000;
const maxChanges = 1_000;

/** Makes the use case that gives everything stored about the caller but hashes, salts and our own counters. */
export function createExportAccount({
  users,
  clock,
  ...options
}: ExportOptions & { users: Pick<UserStore, "find">; clock: Clock }) {
  const exportUser = createExportUser(options);

  /**
   * The caller's session is known to live. Throws AppError `invalid_token` if the account is gone, or all of its sessions
   * were ended, `unavailable`.
   */
  return async function exportAccount(caller: Session) {
    return exportUser(await getCurrentUser(users, caller, clock()));
  };
}

/** Makes what gives everything stored about a user but hashes, salts and our own counters. */
export function createExportUser({ sessions, identities, audit, sessionsNotBefore }: ExportOptions) {
  /** Throws AppError `unavailable`. */
  return async function exportUser(user: User) {
    const { userId, email, language = null, createdAt, passwordChangedAt = null, lastChange } = user;
    const { emailVerifiedAt = null, previousEmail = null, undoUntil = null } = user;
    const [ofSessions, ofChanges, linked] = await settleAll([
      exportSessions(userId),
      exportChanges(userId),
      findIdentities(identities, user),
    ]);
    return {
      ...{ userId, email, emailVerifiedAt, previousEmail, undoUntil, language, createdAt, passwordChangedAt },
      ...summarizeFactors(user),
      lastChange: lastChange ? withoutName(lastChange) : null,
      hasPassword: user.passwordHash !== undefined,
      passkeys: viewPasskeys(user.passkeys),
      identities: linked,
      roles: [],
      ...pickCustomClaims(user),
      ...ofSessions,
      ...ofChanges,
    };
  };

  /** The newest changes, in one request. */
  async function exportChanges(userId: string) {
    if (!audit) return {};
    const { rows, next } = await audit.list(userId, { limit: maxChanges });
    return { changes: rows.map(withoutName), moreChanges: next !== undefined };
  }

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

/** Whoever acts for the team is named in the table alone: `operator <ARN>`. */
const withoutName = <Told extends { by: string }>(told: Told): Told => ({
  ...told,
  by: told.by.split(" ", 1)[0] ?? "",
});
