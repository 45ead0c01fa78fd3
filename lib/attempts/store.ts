import { randomUUID } from "node:crypto";
import { DeleteCommand, GetCommand, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { type DynamoDB, findFailedItem, type Item, isConditionFailure, unavailable } from "../dynamodb.ts";
import { AppError } from "../errors.ts";
import { type Attempts, findPauseLeft, freeAttempts, memorySeconds, pausesSeconds } from "./pause-rule.ts";

/** The attempts table. Every function throws AppError `unavailable` when DynamoDB is. */
export type AttemptStore = ReturnType<typeof createAttemptStore>;

/** Makes the store of the attempts table (partition key: a keyed hash of what is limited; TTL on expiresAt). */
export function createAttemptStore({ client, returnsItemOnFailure }: DynamoDB, tableName: string) {
  /** Adds one attempt to the row, in one conditional write: parallel guesses cannot slip under the limit. */
  async function add(id: string, now: number): Promise<{ isAdded: boolean; row: Row | undefined }> {
    const lastAttemptId = randomUUID();
    try {
      const { Attributes } = await client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: { id },
          UpdateExpression:
            "SET #count = if_not_exists(#count, :zero) + :one, lastAt = :now, expiresAt = :expiresAt, lastAttemptId = :attempt",
          ...createCondition({ now, lastAttemptId }),
          ReturnValues: "ALL_NEW",
          ReturnValuesOnConditionCheckFailure: "ALL_OLD",
        }),
      );
      return { isAdded: true, row: parseRow(Attributes) };
    } catch (error) {
      if (!isConditionFailure(error)) return unavailable(error);
      const row = parseRow(findFailedItem(error) ?? (returnsItemOnFailure ? undefined : await find(id)));
      // Our own write had succeeded, and the SDK's retry met it.
      return { isAdded: row?.lastAttemptId === lastAttemptId, row };
    }
  }

  /** Begins a new row in place of one that is forgotten; DynamoDB deletes late. */
  async function restart(id: string, now: number): Promise<boolean> {
    try {
      await client.send(
        new PutCommand({
          TableName: tableName,
          Item: { id, count: 1, lastAt: now, expiresAt: now + memorySeconds, lastAttemptId: randomUUID() },
          ConditionExpression: "attribute_not_exists(id) OR expiresAt <= :now",
          ExpressionAttributeValues: { ":now": now },
        }),
      );
      return true;
    } catch (error) {
      return isConditionFailure(error) ? false : unavailable(error);
    }
  }

  async function find(id: string): Promise<Item | undefined> {
    const { Item } = await client
      .send(new GetCommand({ TableName: tableName, Key: { id }, ConsistentRead: true }))
      .catch(unavailable);
    return Item;
  }

  return {
    /** Counts one more attempt. Gives how many there were in a row, or after how many seconds one is allowed. */
    async count(id: string, now: number): Promise<{ count: number } | { pauseSeconds: number }> {
      for (let look = 1; look <= maxLooks; look++) {
        const { isAdded, row } = await add(id, now);
        if (row && isAdded) return { count: row.count };
        if (row && row.expiresAt > now) return { pauseSeconds: Math.max(1, findPauseLeft(row, now)) };
        if (row && (await restart(id, now))) return { count: 1 };
        // Another attempt began the new row, or the row was cleared after it refused us.
      }
      throw new AppError("unavailable");
    },

    /**
     * Counts one more in a window that ends at `endsAt` (epoch seconds). Answers whether it was still under the limit;
     * what is over it is not written. A retry of the SDK may count twice.
     */
    async countInWindow(id: string, { limit, endsAt }: { limit: number; endsAt: number }): Promise<boolean> {
      try {
        await client.send(
          new UpdateCommand({
            TableName: tableName,
            Key: { id },
            UpdateExpression: "SET expiresAt = :endsAt ADD #count :one",
            ConditionExpression: "attribute_not_exists(#count) OR #count < :limit",
            ExpressionAttributeNames: { "#count": "count" },
            ExpressionAttributeValues: { ":one": 1, ":endsAt": endsAt, ":limit": limit },
          }),
        );
        return true;
      } catch (error) {
        return isConditionFailure(error) ? false : unavailable(error);
      }
    },

    /** Forgets the row. */
    async clear(id: string): Promise<void> {
      await client.send(new DeleteCommand({ TableName: tableName, Key: { id } })).catch(unavailable);
    },
  };
}

/** Others can move the row between our look and our write. */
const maxLooks = 3;

/** A row as the table holds it. */
interface Row extends Attempts {
  /** Names the attempt that was counted last. */
  lastAttemptId: string;
}

/**
 * There is no row, or it is remembered and its pause is over (the same rule as `findPauseLeft`); and it is not ours. AND binds
 * before OR. The group in parentheses comes before what is ANDed with it: the other way round, or with more parentheses, the
 * embedded engine takes several times as long to parse it.
 */
function createCondition({ now, lastAttemptId }: { now: number; lastAttemptId: string }) {
  const last = pausesSeconds.length - 1;
  const rested = pausesSeconds.map((_, index) => {
    const comparison = index === last ? ">=" : "=";
    return `#count ${comparison} :count${index} AND lastAt <= :rested${index}`;
  });
  const values = pausesSeconds.flatMap((pause, index) => [
    [`:count${index}`, freeAttempts + index],
    [`:rested${index}`, now - pause],
  ]);
  const isRested = `(#count < :count0 OR ${rested.join(" OR ")})`;
  return {
    ConditionExpression: `attribute_not_exists(id) OR ${isRested} AND expiresAt > :now AND lastAttemptId <> :attempt`,
    ExpressionAttributeNames: { "#count": "count" },
    ExpressionAttributeValues: {
      ...Object.fromEntries(values),
      ":zero": 0,
      ":one": 1,
      ":now": now,
      ":expiresAt": now + memorySeconds,
      ":attempt": lastAttemptId,
    },
  };
}

function parseRow(item: Item | undefined): Row | undefined {
  if (!item) return undefined;
  const { count, lastAt, expiresAt, lastAttemptId } = item;
  const isSound =
    [count, lastAt, expiresAt].every((value) => typeof value === "number") &&
    typeof lastAttemptId === "string";
  if (!isSound)
    throw new AppError("unavailable", { cause: new TypeError("a row of attempts has a wrong shape") });
  return item as unknown as Row;
}
