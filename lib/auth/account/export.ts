import { pickCustomClaims } from "../../accounts/claims.ts";
import type { UserKey, UserStore } from "../../accounts/store.ts";
import { AppError } from "../../errors.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { summaryNames, toSummary } from "../session/list.ts";

interface ExportOptions {
  users: Pick<UserStore, "find">;
  sessions: Pick<SessionStore, "list">;
}

/** Makes the use case that gives everything stored about the caller but hashes, salts and our own counters. */
export function createExportAccount({ users, sessions }: ExportOptions) {
  /** Throws AppError `invalid_token` if the account is gone (the address may be somebody else's), `unavailable`. */
  return async function exportAccount({ email, userId }: UserKey) {
    const user = await users.find(email);
    if (user?.userId !== userId) throw new AppError("invalid_token", { reason: "account gone" });
    const stored = await sessions.list(userId, summaryNames);
    return {
      userId,
      email,
      createdAt: user.createdAt,
      roles: [],
      ...pickCustomClaims(user),
      sessions: stored.map(toSummary),
    };
  };
}
