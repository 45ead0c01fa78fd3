import type { Config } from "../config.ts";
import type { DynamoDB } from "../dynamodb.ts";
import type { Session } from "../sessions/session.ts";
import { type TransactItem, transact } from "../transaction.ts";
import type { Change } from "./change.ts";
import { createRaise, createUserStore, type MoreOfRaise } from "./store.ts";

/** Ends all sessions of a user but one. */
export type EndOthers = ReturnType<typeof createEndOthers>;

/** Makes what ends all sessions of a user but the caller's: one transaction, or somebody's sweep would end that one, too. */
export function createEndOthers(
  client: DynamoDB,
  { usersTable, sessionsTable }: Config<"usersTable" | "sessionsTable">,
) {
  const users = createUserStore(client, usersTable);

  /**
   * Raises the user's epoch, and carries the caller's session over to it; gives that epoch. What is left of the others is
   * for a sweep; `others` are further items of the transaction. Undefined, and nothing is written, if the caller's session is over, or of another epoch by now. Throws
   * AppError `unavailable`.
   */
  return async function endOthers(
    caller: Session,
    change: Change,
    more?: MoreOfRaise,
    others: TransactItem[] = [],
  ): Promise<number | undefined> {
    const { userId, sessionId, sessionEpoch: from } = caller;
    const to = from + 1;
    const items: TransactItem[] = [
      { Update: { TableName: usersTable, Key: { userId }, ...createRaise(caller, change, more) } },
      {
        Update: {
          TableName: sessionsTable,
          Key: { userId, sessionId },
          UpdateExpression: "SET sessionEpoch = :to",
          ConditionExpression: "sessionEpoch = :from",
          ExpressionAttributeValues: { ":from": from, ":to": to },
        },
      },
      ...others,
    ];
    const isDone = async () => (await users.find(userId))?.lastChange?.id === change.id;
    const { written } = await transact(client, items, { isDone });
    return written ? to : undefined;
  };
}
