import type { UserStore } from "../../accounts/store.ts";
import type { AuditStore } from "../../audit/store.ts";
import { AppError } from "../../errors.ts";

const pageSize = 100;

/** A cursor is the sort key of a row, whose `#` no URL takes: `1800000000-<id of the change>`. */
const cursorPattern = /^(\d{10})-([\w-]{1,50})$/;

interface ListEventsOptions {
  users: Pick<UserStore, "find">;
  audit: Pick<AuditStore, "list">;
}

/** Makes the use case that shows the audit trail of an account to an administrator; it outlives the account. */
export function createListEvents({ users, audit }: ListEventsOptions) {
  /**
   * Gives the page of changes after `cursor`, the newest first. Undefined where there is no such user, nor was one. Throws AppError
   * `invalid_cursor`, `unavailable`.
   */
  return async function listEvents(userId: string, cursor: string | undefined) {
    const [, at, id] = cursorPattern.exec(cursor ?? "") ?? [];
    if (cursor !== undefined && at === undefined)
      throw new AppError("invalid_cursor", { detail: "Take the cursor from nextCursor of the page before." });
    const after = at === undefined ? undefined : `${at}#${id}`;
    const { rows, next } = await audit.list(userId, { limit: pageSize, after });
    // An imported account has none, nor one that is older than its oldest row.
    if (rows.length === 0 && after === undefined && !(await users.find(userId))) return undefined;
    return { events: rows, nextCursor: next?.replace("#", "-") ?? null };
  };
}
