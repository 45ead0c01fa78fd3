import { type DynamoDB, updateItem } from "../dynamodb.ts";
import type { Change } from "./change.ts";
import { parseUser, type User } from "./store.ts";

/** What an operator changes of users. Every function throws AppError `unavailable` when DynamoDB is. */
export type Operations = ReturnType<typeof createOperations>;

/** Makes what an operator changes: no session has to be alive for it. Undefined is given where there is no such user. */
export function createOperations(client: DynamoDB, usersTable: string) {
  /** The SDK's retry of our own write is known by the change. */
  async function write(userId: string, change: Change, more: string, values: object) {
    const { written, item } = await updateItem(
      client,
      { TableName: usersTable, Key: { userId } },
      {
        UpdateExpression: `SET lastChange = :change${more}`,
        ConditionExpression:
          "attribute_exists(userId) AND (attribute_not_exists(lastChange) OR lastChange.id <> :id)",
        ExpressionAttributeValues: { ":change": change, ":id": change.id, ...values },
      },
    );
    const user = item && parseUser(item);
    return written || user?.lastChange?.id === change.id ? user : undefined;
  }
  const raise = ", sessionEpoch = sessionEpoch + :one";

  return {
    /** Ends, by raising the epoch, all sessions and logins under way. */
    endSessions: (userId: string, change: Change): Promise<User | undefined> =>
      write(userId, change, raise, { ":one": 1 }),

    /** Lets nobody in any more, and ends all sessions. */
    disable: (userId: string, change: Change): Promise<User | undefined> =>
      write(userId, change, `${raise}, disabledAt = if_not_exists(disabledAt, :at)`, {
        ...{ ":one": 1, ":at": change.at },
      }),

    /** Lets the user in again, and ends all sessions: with the one that was deleting the account goes the deletion. */
    enable: (userId: string, change: Change): Promise<User | undefined> =>
      write(userId, change, `${raise} REMOVE disabledAt, deletingAt`, { ":one": 1 }),

    /** Takes the second factor away, and ends all sessions. */
    removeFactor: (userId: string, change: Change): Promise<User | undefined> =>
      write(userId, change, `${raise} REMOVE totp, recovery`, { ":one": 1 }),
  };
}
