import { ScanCommand } from "@aws-sdk/lib-dynamodb";
import { type DynamoDB, unavailable } from "../dynamodb.ts";
import type { AppError } from "../errors.ts";
import { parseUser, type User } from "./store.ts";

const names = [
  ...["userId", "email", "emailVerifiedAt", "roles", "disabledAt", "deletingAt", "createdAt"],
  ...["sessionEpoch", "sweptEpoch"],
] as const;

/** An account as a list shows it; or the id of an item that is damaged, and what is wrong with it. */
export type ListedUser =
  | Pick<User, "userId" | "email" | "emailVerifiedAt" | "roles" | "disabledAt" | "deletingAt" | "createdAt">
  | { userId: unknown; damaged: string };

/**
 * Reads a page of accounts, at most `limit`, in one request and in no order: those after `after`, a user id; no hash leaves
 * the table. `next` is where the next one begins; undefined: there is none. Throws AppError `unavailable`.
 */
export async function readUserPage(
  client: DynamoDB,
  usersTable: string,
  { after, limit }: { after?: string | undefined; limit?: number } = {},
): Promise<{ users: ListedUser[]; next: string | undefined }> {
  const { Items = [], LastEvaluatedKey } = await client
    .send(
      new ScanCommand({
        TableName: usersTable,
        ProjectionExpression: names.map((name) => `#${name}`).join(", "),
        ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
        ExclusiveStartKey: after === undefined ? undefined : { userId: after },
        Limit: limit,
      }),
    )
    .catch(unavailable);
  return { users: Items.map(toListed), next: LastEvaluatedKey?.userId };
}

/**
 * Reads all accounts, page by page, in no order. Who comes or changes meanwhile may be missing. Throws AppError
 * `unavailable`.
 */
export async function* listUsers(client: DynamoDB, usersTable: string): AsyncGenerator<ListedUser> {
  let after: string | undefined;
  do {
    const { users, next } = await readUserPage(client, usersTable, { after });
    yield* users;
    after = next;
  } while (after !== undefined);
}

/** Shows an account as a list does. */
export function listUser(user: User): ListedUser {
  const { userId, email, emailVerifiedAt, roles, disabledAt, deletingAt, createdAt } = user;
  return {
    ...{ userId, email, createdAt },
    ...(emailVerifiedAt !== undefined && { emailVerifiedAt }),
    ...(roles && { roles }),
    ...(disabledAt !== undefined && { disabledAt }),
    ...(deletingAt !== undefined && { deletingAt }),
  };
}

/** One damaged item is no reason not to show the others: it is what an operator may be looking for. */
function toListed(item: Record<string, unknown>): ListedUser {
  try {
    return listUser(parseUser(item));
  } catch (error) {
    const { cause } = error as AppError;
    return { userId: item.userId, damaged: cause instanceof Error ? cause.message : String(error) };
  }
}
