import { randomUUID } from "node:crypto";
import { DeleteCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import * as v from "valibot";
import {
  type DynamoDB,
  isConditionFailure,
  type UpdateExpression,
  unavailable,
  updateItem,
} from "../dynamodb.ts";
import { AppError } from "../errors.ts";
import { parseItem } from "../parse-item.ts";
import { findPauseLeft, type PauseRule, passwordPauses } from "./pause-rule.ts";

/** A row of attempts as the table holds it. Times are epoch seconds. */
const rowType = {
  name: "row of attempts",
  keyNames: ["id"],
  schema: v.object({
    count: v.number(),
    lastAt: v.number(),
    expiresAt: v.number(),
    /** Names the attempt that was counted last. */
    lastAttemptId: v.string(),
  }),
};
type Row = v.InferOutput<typeof rowType.schema>;

/**
 * The attempts table. Every function throws AppError `unavailable` when DynamoDB is, and `internal_error` for a row that
 * is damaged.
 */
export type AttemptStore = ReturnType<typeof createAttemptStore>;

/** Makes the store of the attempts table (partition key: a keyed hash of what is limited; TTL on expiresAt). */
export function createAttemptStore(client: DynamoDB, tableName: string) {
  const addressOf = (id: string) => ({ TableName: tableName, Key: { id } });

  /** Adds one attempt to the row, in one conditional write: parallel guesses cannot slip under the limit. */
  async function add(
    id: string,
    now: number,
    { rule, lastAttemptId }: Counted,
  ): Promise<{ isAdded: boolean; row: Row | undefined }> {
    const { written, item } = await updateItem(client, addressOf(id), {
      UpdateExpression:
        "SET #count = if_not_exists(#count, :zero) + :one, lastAt = :now, expiresAt = :expiresAt, lastAttemptId = :attempt",
      ...createCondition({ now, lastAttemptId }, rule),
    });
    const row = item && parseItem(rowType, item);
    // If it was not written, our own write may have succeeded before, and the SDK's retry met it.
    return { isAdded: written || row?.lastAttemptId === lastAttemptId, row };
  }

  /** Begins a new row in place of one that is forgotten; DynamoDB deletes late. */
  async function restart(
    id: string,
    now: number,
    { rule: { memorySeconds }, lastAttemptId }: Counted,
  ): Promise<boolean> {
    try {
      await client.send(
        new PutCommand({
          TableName: tableName,
          Item: { id, count: 1, lastAt: now, expiresAt: now + memorySeconds, lastAttemptId },
          ConditionExpression: "attribute_not_exists(id) OR expiresAt <= :now",
          ExpressionAttributeValues: { ":now": now },
        }),
      );
      return true;
    } catch (error) {
      return isConditionFailure(error) ? false : unavailable(error);
    }
  }

  return {
    /**
     * Counts one more attempt, by the rule of passwords if no other is given. Gives how many there were in a row, or after
     * how many seconds one is allowed.
     */
    async count(
      id: string,
      now: number,
      rule = passwordPauses,
    ): Promise<{ count: number } | { pauseSeconds: number }> {
      const counted = { rule, lastAttemptId: randomUUID() };
      for (let look = 1; look <= maxLooks; look++) {
        const { isAdded, row } = await add(id, now, counted);
        if (row && isAdded) return { count: row.count };
        if (row && row.expiresAt > now) return { pauseSeconds: Math.max(1, findPauseLeft(row, rule, now)) };
        if (row && (await restart(id, now, counted))) return { count: 1 };
        // Another attempt began the new row, or the row was cleared after it refused us.
      }
      throw new AppError("unavailable");
    },

    /**
     * Counts one more in a window that ends at `endsAt` (epoch seconds). Answers whether it was still under the limit;
     * what is over it is not written. A retry of the SDK may count twice.
     */
    async countInWindow(id: string, { limit, endsAt }: { limit: number; endsAt: number }): Promise<boolean> {
      const { written } = await updateItem(client, addressOf(id), {
        UpdateExpression: "SET expiresAt = :endsAt ADD #count :one",
        ConditionExpression: "attribute_not_exists(#count) OR #count < :limit",
        ExpressionAttributeNames: { "#count": "count" },
        ExpressionAttributeValues: { ":one": 1, ":endsAt": endsAt, ":limit": limit },
      });
      return written;
    },

    /** Forgets the row. */
    async clear(id: string): Promise<void> {
      await client.send(new DeleteCommand(addressOf(id))).catch(unavailable);
    },
  };
}

/** How an attempt is counted. */
interface Counted {
  rule: PauseRule;
  lastAttemptId: string;
}

/** Others can move the row between our look and our write. */
const maxLooks = 3;

/**
 * There is no row, or it is remembered and its pause is over (the same rule as `findPauseLeft`); and it is not ours.
 */
function createCondition(
  { now, lastAttemptId }: { now: number; lastAttemptId: string },
  { freeAttempts, pausesSeconds, memorySeconds }: PauseRule,
): Omit<UpdateExpression, "UpdateExpression"> {
  const last = pausesSeconds.length - 1;
  const rested = pausesSeconds.map((_, index) => {
    const comparison = index === last ? ">=" : "=";
    return `#count ${comparison} :count${index} AND lastAt <= :rested${index}`;
  });
  const values = pausesSeconds.flatMap((pause, index) => [
    [`:count${index}`, freeAttempts + index],
    [`:rested${index}`, now - pause],
  ]);
  const isRested = ["#count < :count0", ...rested].join(" OR ");
  return {
    ConditionExpression: `attribute_not_exists(id) OR (expiresAt > :now AND lastAttemptId <> :attempt AND (${isRested}))`,
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
