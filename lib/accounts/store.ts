import { randomUUID } from "node:crypto";
import { DeleteCommand, GetCommand, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import {
  type DynamoDB,
  findFailedItem,
  type Item,
  isConditionFailure,
  type UpdateExpression,
  unavailable,
} from "../dynamodb.ts";
import { AppError } from "../errors.ts";
import { isCustomClaims } from "./claims.ts";

/** An account as the table holds it. Times are epoch seconds. */
export interface User {
  email: string;
  userId: string;
  /** argon2id, PHC string format. */
  passwordHash: string;
  /** Raised whenever all sessions of the user are ended. */
  sessionEpoch: number;
  /** The epoch before which no session is left; lower than `sessionEpoch` while they are being deleted. */
  sweptEpoch: number;
  /** The one older session that the last raise of the epoch kept: its own. */
  keptSessionId?: string;
  /** What the user may do besides being logged in (lib/accounts/claims.ts); set by an administrator. */
  roles?: string[];
  createdAt: number;
}

/** A user by the key of the table, and which one is meant: a free address may be taken by somebody else. */
export type UserKey = Pick<User, "email" | "userId">;

/** The users table. Every function throws AppError `unavailable` when DynamoDB is. */
export type UserStore = ReturnType<typeof createUserStore>;

/** Makes the store of the users table (partition key: the normalised e-mail address). */
export function createUserStore({ client, returnsItemOnFailure }: DynamoDB, tableName: string) {
  async function findItem(email: string): Promise<Item | undefined> {
    const { Item } = await client
      .send(new GetCommand({ TableName: tableName, Key: { email }, ConsistentRead: true }))
      .catch(unavailable);
    return Item;
  }

  /** Sends one conditional update; gives the item after it or, if the condition failed, the one that was there. */
  async function update(email: string, expression: UpdateExpression) {
    try {
      const { Attributes } = await client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: { email },
          ...expression,
          ReturnValues: "ALL_NEW",
          ReturnValuesOnConditionCheckFailure: "ALL_OLD",
        }),
      );
      return { written: true, item: Attributes };
    } catch (error) {
      if (!isConditionFailure(error)) return unavailable(error);
      return { written: false, item: await findRefusing(error, email) };
    }
  }

  /** The item that refused a write: as DynamoDB sends it along, or read where an engine does not. */
  async function findRefusing(error: unknown, email: string): Promise<Item | undefined> {
    return findFailedItem(error) ?? (returnsItemOnFailure ? undefined : findItem(email));
  }

  return {
    /** Reads a user, strongly consistent. */
    async find(email: string): Promise<User | undefined> {
      const item = await findItem(email);
      return item && parseUser(item);
    },

    /** Stores a new user; false if the address is taken. The SDK's retry of our own put is known by the userId. */
    async create(user: User): Promise<boolean> {
      try {
        await client.send(
          new PutCommand({
            TableName: tableName,
            Item: user,
            ConditionExpression: "attribute_not_exists(email)",
            ReturnValuesOnConditionCheckFailure: "ALL_OLD",
          }),
        );
        return true;
      } catch (error) {
        if (!isConditionFailure(error)) return unavailable(error);
        return (await findRefusing(error, user.email))?.userId === user.userId;
      }
    },

    /** Replaces a password hash by a stronger one of the same password, if it is still there; false if not. */
    async replacePasswordHash(email: string, { from, to }: { from: string; to: string }): Promise<boolean> {
      const { written } = await update(email, {
        UpdateExpression: "SET passwordHash = :to",
        ConditionExpression: "passwordHash = :from",
        ExpressionAttributeValues: { ":from": from, ":to": to },
      });
      return written;
    },

    /**
     * Sets a new password and ends, by raising the epoch, all sessions but the kept one – if the hash is still the
     * one just verified and no earlier sweep is under way, which might end the kept one. The SDK's retry of our own
     * write is known by the new hash, whose salt is random.
     */
    async changePassword(
      { email, userId }: UserKey,
      change: { from: string; to: string; keptSessionId: string },
    ): Promise<User | undefined> {
      const { written, item } = await update(email, {
        UpdateExpression: "SET passwordHash = :to, sessionEpoch = sessionEpoch + :one, keptSessionId = :kept",
        ConditionExpression: "passwordHash = :from AND userId = :userId AND sweptEpoch = sessionEpoch",
        ExpressionAttributeValues: {
          ":from": change.from,
          ":to": change.to,
          ":kept": change.keptSessionId,
          ":userId": userId,
          ":one": 1,
        },
      });
      const user = item && parseUser(item);
      return written || user?.passwordHash === change.to ? user : undefined;
    },

    /**
     * Raises the epoch: all sessions are over but the kept one, and logins that are under way. Undefined if there is
     * no such user or, with a session to keep, if an earlier sweep has not been finished. Raised once, however often and
     * late the request arrives: raised again, the epoch would end, at the next sweep, what was opened since.
     */
    async raiseSessionEpoch({ email, userId }: UserKey, keptSessionId?: string): Promise<User | undefined> {
      const keeps = keptSessionId !== undefined;
      const raiseId = randomUUID();
      const { written, item } = await update(email, {
        UpdateExpression: `SET sessionEpoch = sessionEpoch + :one, raiseId = :raise${keeps ? ", keptSessionId = :kept" : " REMOVE keptSessionId"}`,
        ConditionExpression:
          "userId = :userId AND (attribute_not_exists(raiseId) OR raiseId <> :raise)" +
          `${keeps ? " AND sweptEpoch = sessionEpoch" : ""}`,
        ExpressionAttributeValues: {
          ":one": 1,
          ":userId": userId,
          ":kept": keptSessionId,
          ":raise": raiseId,
        },
      });
      const isOurs = written || (item?.raiseId === raiseId && item.userId === userId);
      return isOurs && item ? parseUser(item) : undefined;
    },

    /** Notes that no session of an epoch before this one is left. */
    async noteSwept({ email, userId }: UserKey, epoch: number): Promise<void> {
      await update(email, {
        UpdateExpression: "SET sweptEpoch = :epoch",
        ConditionExpression: "userId = :userId AND sweptEpoch < :epoch",
        ExpressionAttributeValues: { ":epoch": epoch, ":userId": userId },
      });
    },

    /** Deletes a user; false if the hash is no longer the one just verified. True if that user is gone already. */
    async delete({ email, userId }: UserKey, verifiedHash: string): Promise<boolean> {
      try {
        await client.send(
          new DeleteCommand({
            TableName: tableName,
            Key: { email },
            ConditionExpression: "userId = :userId AND passwordHash = :hash",
            ExpressionAttributeValues: { ":userId": userId, ":hash": verifiedHash },
            ReturnValuesOnConditionCheckFailure: "ALL_OLD",
          }),
        );
        return true;
      } catch (error) {
        if (!isConditionFailure(error)) return unavailable(error);
        return (await findRefusing(error, email))?.userId !== userId;
      }
    },
  };
}

function parseUser(item: Item): User {
  const { email, userId, passwordHash, sessionEpoch, sweptEpoch, createdAt, keptSessionId } = item;
  const isSound =
    typeof email === "string" &&
    typeof userId === "string" &&
    typeof passwordHash === "string" &&
    typeof sessionEpoch === "number" &&
    typeof sweptEpoch === "number" &&
    typeof createdAt === "number" &&
    (keptSessionId === undefined || typeof keptSessionId === "string") &&
    isCustomClaims(item);
  if (!isSound) throw new AppError("unavailable", { cause: new TypeError("a user item has a wrong shape") });
  const { roles } = item;
  return {
    email,
    userId,
    passwordHash,
    sessionEpoch,
    sweptEpoch,
    createdAt,
    ...(keptSessionId !== undefined && { keptSessionId }),
    ...(roles !== undefined && { roles }),
  };
}
