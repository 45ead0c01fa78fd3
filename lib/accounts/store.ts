import { randomUUID } from "node:crypto";
import { DeleteCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import * as v from "valibot";
import {
  type DynamoDB,
  findRefusingItem,
  getItem,
  isConditionFailure,
  unavailable,
  updateItem,
} from "../dynamodb.ts";
import { findHash } from "../factors/phc-string.ts";
import { parseItem } from "../parse-item.ts";
import { customClaims } from "./claims.ts";

/** An account as the table holds it. Times are epoch seconds. */
const userType = {
  name: "user",
  // The key is the e-mail address, which no log may hold.
  keyNames: ["userId"],
  schema: v.object({
    email: v.string(),
    userId: v.string(),
    /** argon2id, PHC string format. */
    passwordHash: v.pipe(
      v.string(),
      v.check((text) => findHash(text) !== undefined),
    ),
    /** Raised whenever all sessions of the user are ended. */
    sessionEpoch: v.number(),
    /** The epoch before which no session is left; lower than `sessionEpoch` while they are being deleted. */
    sweptEpoch: v.number(),
    createdAt: v.number(),
    /** Set by an administrator. */
    ...customClaims,
  }),
};

/** An account as the table holds it. */
export type User = v.InferOutput<typeof userType.schema>;

/** A user by the key of the table, and which one is meant: a free address may be taken by somebody else. */
export type UserKey = Pick<User, "email" | "userId">;

/**
 * The users table. Every function throws AppError `unavailable` when DynamoDB is, and `internal_error` for an item that
 * is damaged.
 */
export type UserStore = ReturnType<typeof createUserStore>;

/** Makes the store of the users table (partition key: the normalised e-mail address). */
export function createUserStore(client: DynamoDB, tableName: string) {
  const addressOf = (email: string) => ({ TableName: tableName, Key: { email } });

  return {
    /** Reads a user, strongly consistent. */
    async find(email: string): Promise<User | undefined> {
      const item = await getItem(client, addressOf(email));
      return item && parseItem(userType, item);
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
        return findRefusingItem(error)?.userId === user.userId;
      }
    },

    /** Replaces a password hash by a stronger one of the same password, if it is still there; false if not. */
    async replacePasswordHash(email: string, { from, to }: { from: string; to: string }): Promise<boolean> {
      const { written } = await updateItem(client, addressOf(email), {
        UpdateExpression: "SET passwordHash = :to",
        ConditionExpression: "passwordHash = :from",
        ExpressionAttributeValues: { ":from": from, ":to": to },
      });
      return written;
    },

    /**
     * Sets a new password and ends, by raising the epoch, all sessions – if the hash is still the one just verified and
     * the caller's session is of this epoch. The SDK's retry of our own write is known by the new hash, whose salt is
     * random.
     */
    async changePassword(
      { email, ...caller }: UserKey & CallerEpoch,
      change: { from: string; to: string },
    ): Promise<User | undefined> {
      const { written, item } = await updateItem(client, addressOf(email), {
        UpdateExpression: "SET passwordHash = :to, sessionEpoch = sessionEpoch + :one",
        ConditionExpression: `passwordHash = :from AND ${isCallers}`,
        ExpressionAttributeValues: { ":from": change.from, ":to": change.to, ":one": 1, ...valuesOf(caller) },
      });
      const user = item && parseItem(userType, item);
      return written || user?.passwordHash === change.to ? user : undefined;
    },

    /**
     * Raises the epoch: all sessions are over, and logins that are under way. Undefined if there is no such user, or if
     * the caller's session is of an earlier epoch: it has been ended itself. The SDK's retry of our own write is known by
     * a random id.
     */
    async raiseSessionEpoch({ email, ...caller }: UserKey & CallerEpoch): Promise<User | undefined> {
      const raiseId = randomUUID();
      const { written, item } = await updateItem(client, addressOf(email), {
        UpdateExpression: "SET sessionEpoch = sessionEpoch + :one, raiseId = :raise",
        ConditionExpression: isCallers,
        ExpressionAttributeValues: { ":one": 1, ":raise": raiseId, ...valuesOf(caller) },
      });
      const isOurs = written || (item?.raiseId === raiseId && item.userId === caller.userId);
      return isOurs && item ? parseItem(userType, item) : undefined;
    },

    /** Notes that no session of an epoch before this one is left. */
    async noteSwept({ email, userId }: UserKey, epoch: number): Promise<void> {
      await updateItem(client, addressOf(email), {
        UpdateExpression: "SET sweptEpoch = :epoch",
        ConditionExpression: "userId = :userId AND sweptEpoch < :epoch",
        ExpressionAttributeValues: { ":epoch": epoch, ":userId": userId },
      });
    },

    /**
     * Deletes a user; false if the hash is no longer the one just verified, or the epoch not the one of the caller's
     * session. True if that user is gone already.
     */
    async delete({ email, ...caller }: UserKey & CallerEpoch, verifiedHash: string): Promise<boolean> {
      try {
        await client.send(
          new DeleteCommand({
            ...addressOf(email),
            ConditionExpression: `passwordHash = :hash AND ${isCallers}`,
            ExpressionAttributeValues: { ":hash": verifiedHash, ...valuesOf(caller) },
            ReturnValuesOnConditionCheckFailure: "ALL_OLD",
          }),
        );
        return true;
      } catch (error) {
        if (!isConditionFailure(error)) return unavailable(error);
        return findRefusingItem(error)?.userId !== caller.userId;
      }
    },
  };
}

/** The epoch of the session on whose strength something is written; not the one that was just read of the user. */
interface CallerEpoch {
  sessionEpoch: number;
}

/** The condition of every write to a user on the strength of a session: a session that was ended changes nothing. */
const isCallers = "userId = :userId AND sessionEpoch = :epoch AND attribute_not_exists(disabledAt)";

function valuesOf({ userId, sessionEpoch }: Pick<User, "userId"> & CallerEpoch) {
  return { ":userId": userId, ":epoch": sessionEpoch };
}
