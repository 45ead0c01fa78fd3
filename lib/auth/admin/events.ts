import type { AuditStore } from "../../audit/store.ts";
import { AppError } from "../../errors.ts";

const pageSize = 100;

/** A cursor is the sort key of a row, whose `#` no URL takes: `1800000000-<id of the change>`. */
const cursorPattern = /^(\d{10})-([\w-]{1,50})$/;

/** Makes the use case that shows the audit trail of an account to an administrator; it outlives the account. */
export function createListEvents({ audit }: { audit: Pick<AuditStore, "list"> }) {
  /**
   * Gives the page of changes after `cursor`, the newest first. Undefined where nothing is known of such a user. Throws AppError
   * `invalid_cursor`, `unavailable`.
   */
  return async function listEvents(userId: string, cursor: string | undefined) {
    const [, at, id] = cursorPattern.exec(cursor ?? "") ?? [];
    if (cursor !== undefined && at === undefined)
      throw new AppError("invalid_cursor", { detail: "Take the cursor from nextCursor of the page before." });
    const after = at === undefined ? undefined : `${at}#${id}`;
    const { rows, next } = await audit.list(userId, { limit: pageSize, after });
    if (rows.length === 0 && after === undefined) return undefined;
    return { events: rows, nextCursor: next?.replace("#", "-") ?? null };
  };
}
