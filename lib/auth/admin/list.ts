import { isEmail, normalizeEmail } from "../../accounts/email.ts";
import { isUserId } from "../../accounts/user-id.ts";
import { type ListedUser, listUser } from "../../accounts/user-list.ts";
import { AppError } from "../../errors.ts";
import { createFindUser, type FindOptions } from "./find.ts";

interface ListOptions extends FindOptions {
  readPage: (page: {
    after?: string | undefined;
    limit: number;
  }) => Promise<{ users: ListedUser[]; next: string | undefined }>;
}

/** What is asked for: one address, or a page; nothing: the first page. */
export interface UserQuery {
  email?: string | undefined;
  cursor?: string | undefined;
}

const pageSize = 100;

/** Makes the use case that lists accounts to an administrator. Nobody is found by a part of an address. */
export function createListUsers({ readPage, ...stores }: ListOptions) {
  const findUser = createFindUser(stores);

  /**
   * Gives who has the address, or the page after `cursor`, the last user id of the page before; in no order. Throws AppError
   * `invalid_query`, `invalid_cursor`, `unavailable`.
   */
  return async function listUsers({ email, cursor }: UserQuery) {
    if (email !== undefined) {
      const address = normalizeEmail(email);
      if (cursor !== undefined || !isEmail(address))
        throw new AppError("invalid_query", { detail: "Send one whole e-mail address, or a cursor." });
      const user = await findUser(address);
      return { users: user ? [listUser(user)] : [], nextCursor: null };
    }
    if (cursor !== undefined && !isUserId(cursor))
      throw new AppError("invalid_cursor", { detail: "Take the cursor from nextCursor of the page before." });
    const { users, next = null } = await readPage({ after: cursor, limit: pageSize });
    return { users, nextCursor: next };
  };
}
