import { paginateScan } from "@aws-sdk/lib-dynamodb";
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
 * Reads all accounts, page by page, in no order; no hash leaves the table. Who comes or changes meanwhile may be missing.
 * Throws AppError `unavailable`.
 */
export async function* listUsers(client: DynamoDB, usersTable: string): AsyncGenerator<ListedUser> {
  const pages = paginateScan(
    { client },
    {
      TableName: usersTable,
      ProjectionExpression: names.map((name) => `#${name}`).join(", "),
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
    },
  );
  try {
    for await (const { Items = [] } of pages) for (const item of Items) yield toListed(item);
  } catch (error) {
    unavailable(error);
  }
}

/** One damaged item is no reason not to show the others: it is what an operator may be looking for. */
function toListed(item: Record<string, unknown>): ListedUser {
  try {
    const { sessionEpoch, sweptEpoch, ...shown } = parseUser(item);
    return shown;
  } catch (error) {
    const { cause } = error as AppError;
    return { userId: item.userId, damaged: cause instanceof Error ? cause.message : String(error) };
  }
}
