import { type DynamoDB, updateItem } from "../dynamodb.ts";
import type { Change } from "./change.ts";
import { isDeletedByNobody, valuesOfOpen } from "./is-disabled.ts";
import { parseUser, type User } from "./store.ts";

/** What an operator changes of users. Every function throws AppError `unavailable` when DynamoDB is. */
export type Operations = ReturnType<typeof createOperations>;

interface WriteOptions {
  values: object;
  condition?: string;
  isDone?: (user: User) => boolean;
}

/** Makes what an operator changes: no session has to be alive for it. Undefined is given where there is no such user. */
export function createOperations(client: DynamoDB, usersTable: string) {
  /** The SDK's retry of our own write is known by the change; `isDone`: what somebody has written before is as good. */
  async function write(
    userId: string,
    change: Change,
    more: string,
    { values, condition = "", isDone }: WriteOptions,
  ) {
    const { written, item } = await updateItem(
      client,
      { TableName: usersTable, Key: { userId } },
      {
        UpdateExpression: `SET lastChange = :change${more}`,
        ConditionExpression: `attribute_exists(userId) AND (attribute_not_exists(lastChange) OR lastChange.id <> :id)${condition}`,
        ...(more.includes("#roles") && { ExpressionAttributeNames: { "#roles": "roles" } }),
        ExpressionAttributeValues: { ":change": change, ":id": change.id, ...values },
      },
    );
    const user = item && parseUser(item);
    return written || (user && (user.lastChange?.id === change.id || isDone?.(user))) ? user : undefined;
  }
  const raise = ", sessionEpoch = sessionEpoch + :one";
  const values = { ":one": 1 };

  return {
    /** Ends, by raising the epoch, all sessions and logins under way. */
    endSessions: (userId: string, change: Change): Promise<User | undefined> =>
      write(userId, change, raise, { values }),

    /** Lets nobody in any more, and ends all sessions. Of an account that is disabled already nothing is written. */
    disable: (userId: string, change: Change): Promise<User | undefined> =>
      write(userId, change, `${raise}, disabledAt = :at`, {
        values: { ...values, ":at": change.at },
        condition: " AND attribute_not_exists(disabledAt)",
        isDone: ({ disabledAt }) => disabledAt !== undefined,
      }),

    /** Lets the user in again, and ends all sessions: with the one that was deleting the account goes the deletion. */
    enable: (userId: string, change: Change): Promise<User | undefined> =>
      write(userId, change, `${raise} REMOVE disabledAt, deletingAt`, { values }),

    /** Takes the second factor away, and ends all sessions. */
    removeFactor: (userId: string, change: Change): Promise<User | undefined> =>
      write(userId, change, `${raise} REMOVE totp, recovery`, { values }),

    /** Gives a user these roles and no others, and ends all sessions: they have the old ones as a claim. */
    setRoles: (userId: string, roles: string[], change: Change): Promise<User | undefined> =>
      roles.length === 0
        ? write(userId, change, `${raise} REMOVE #roles`, { values })
        : write(userId, change, `${raise}, #roles = :roles`, { values: { ...values, ":roles": roles } }),

    /** Takes the password away, and ends all sessions. Undefined, too, while the account is being deleted. */
    removePassword: (userId: string, change: Change): Promise<User | undefined> =>
      write(userId, change, `${raise} REMOVE passwordHash`, {
        values: { ...values, ...valuesOfOpen(change.at) },
        condition: ` AND ${isDeletedByNobody}`,
      }),

    /** Begins the deletion of the account anew, and ends all sessions: with the one that was deleting it goes that deletion. */
    beginDeletion: (userId: string, change: Change): Promise<User | undefined> =>
      write(userId, change, `${raise}, deletingAt = :at`, { values: { ...values, ":at": change.at } }),

    /** Notes what was done beside the user's item. Undefined, too, while the account is being deleted. */
    note: (userId: string, change: Change): Promise<User | undefined> =>
      write(userId, change, "", { values: valuesOfOpen(change.at), condition: ` AND ${isDeletedByNobody}` }),
  };
}
