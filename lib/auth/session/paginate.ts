import { AppError } from "../../errors.ts";

const pageSize = 100;

/** What a list is sorted by: newest first, then by id. */
interface Place {
  createdAt: number;
  sessionId: string;
}

/**
 * Cuts one page of 100 out of a sorted list. The cursor is the place of the last item of the page before, which may be
 * gone meanwhile. Throws AppError `invalid_cursor`.
 */
export function paginate<T extends Place>(items: T[], cursor: unknown) {
  const start = cursor === undefined ? undefined : parseCursor(cursor);
  const rest = start ? items.filter((item) => isAfter(item, start)) : items;
  const page = rest.slice(0, pageSize);
  const last = page.at(-1);
  const hasMore = rest.length > pageSize && last !== undefined;
  return { page, nextCursor: hasMore ? `${last.createdAt}.${last.sessionId}` : null };
}

function isAfter(item: Place, start: Place): boolean {
  if (item.createdAt !== start.createdAt) return item.createdAt < start.createdAt;
  return item.sessionId > start.sessionId;
}

function parseCursor(cursor: unknown): Place {
  const [, createdAt, sessionId] =
    /^(\d{1,12})\.([\w-]{1,64})$/.exec(typeof cursor === "string" ? cursor : "") ?? [];
  if (createdAt === undefined || sessionId === undefined) {
    throw new AppError("invalid_cursor", { detail: "Take the cursor from nextCursor of the page before." });
  }
  return { createdAt: Number(createdAt), sessionId };
}
