import { pickCustomClaims } from "../../accounts/claims.ts";
import { summarizeFactors } from "../../accounts/factor-summary.ts";
import type { UserStore } from "../../accounts/store.ts";
import { viewPasskeys } from "../../passkeys/passkey.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { summaryNames, toSummary } from "../session/list.ts";

interface ShowOptions {
  users: Pick<UserStore, "find">;
  sessions: Pick<SessionStore, "page">;
}

const maxSessions = 100;

/** Makes the use case that shows an account to an administrator: neither hashes nor anything that opens it. */
export function createShowUser({ users, sessions }: ShowOptions) {
  /** Names at most 100 sessions. Undefined if there is no such user. Throws AppError `unavailable`. */
  return async function showUser(userId: string) {
    const user = await users.find(userId);
    if (!user) return undefined;
    const page = await sessions.page(userId, summaryNames, { limit: maxSessions });
    const { email, emailVerifiedAt = null, previousEmail = null, undoUntil = null, language = null } = user;
    const { createdAt, passwordChangedAt = null, disabledAt = null, deletingAt = null } = user;
    return {
      ...{ userId, email, emailVerifiedAt, previousEmail, undoUntil, language, createdAt },
      ...{ passwordChangedAt, disabledAt, deletingAt },
      ...summarizeFactors(user),
      hasPassword: user.passwordHash !== undefined,
      passkeys: viewPasskeys(user.passkeys),
      linkedIdentities: user.identityIds?.size ?? 0,
      roles: [],
      ...pickCustomClaims(user),
      lastChange: user.lastChange ?? null,
      sessions: page.sessions.map(toSummary),
      moreSessions: page.next !== undefined,
    };
  };
}
