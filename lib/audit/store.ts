import { PutCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import * as v from "valibot";
import { type Change, changeSchema } from "../accounts/change.ts";
import { type DynamoDB, getItem, isConditionFailure, unavailable } from "../dynamodb.ts";
import { parseItem } from "../parse-item.ts";

/** A change of an account, as the audit trail tells it: who, what, when, from where; no e-mail address is in it. */
export const auditRowSchema = v.omit(changeSchema, ["id"]);

/** A change of an account, as the audit trail tells it. */
export type AuditRow = v.InferOutput<typeof auditRowSchema>;

const rowType = { name: "audit row", keyNames: ["userId", "change"], schema: auditRowSchema };

/**
 * The audit table. Every function throws AppError `unavailable` when DynamoDB is, and `internal_error` for a row that is
 * damaged.
 */
export type AuditStore = ReturnType<typeof createAuditStore>;

/** Makes the store of the audit table (partition key userId, sort key `at#id` of the change; TTL on expiresAt). */
export function createAuditStore(client: DynamoDB, tableName: string) {
  // Times of the same length: rows of a user are in order.
  const keyOf = (userId: string, { at, id }: Change) => ({ userId, change: `${at}#${id}` });

  return {
    /** Answers whether a change has its row, strongly consistent. */
    async has(userId: string, change: Change): Promise<boolean> {
      return (await getItem(client, { TableName: tableName, Key: keyOf(userId, change) })) !== undefined;
    },

    /** Puts the row of a change, once; DynamoDB may delete it from `expiresAt` on (epoch seconds). */
    async put(userId: string, change: Change, expiresAt: number): Promise<void> {
      const { id, ...told } = change;
      try {
        await client.send(
          new PutCommand({
            TableName: tableName,
            Item: { ...keyOf(userId, change), ...told, expiresAt },
            ConditionExpression: "attribute_not_exists(userId)",
          }),
        );
      } catch (error) {
        if (!isConditionFailure(error)) unavailable(error);
      }
    },

    /**
     * Reads the newest rows of a user, at most `limit`, in one request: those before `after`, if that is given. `next` is
     * where older ones begin; undefined: there are none.
     */
    async list(
      userId: string,
      { limit, after }: { limit: number; after?: string | undefined },
    ): Promise<{ rows: AuditRow[]; next: string | undefined }> {
      const { Items = [], LastEvaluatedKey } = await client
        .send(
          new QueryCommand({
            TableName: tableName,
            KeyConditionExpression: "userId = :userId",
            ExpressionAttributeValues: { ":userId": userId },
            ConsistentRead: true,
            ScanIndexForward: false,
            ExclusiveStartKey: after === undefined ? undefined : { userId, change: after },
            Limit: limit,
          }),
        )
        .catch(unavailable);
      return { rows: Items.map((item) => parseItem(rowType, item)), next: LastEvaluatedKey?.change };
    },
  };
}
