import { DeleteCommand, GetCommand, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import {
  type DynamoDB,
  findFailedItem,
  type Item,
  isConditionFailure,
  unavailable,
  withoutRetries,
} from "../dynamodb.ts";
import { AppError } from "../errors.ts";
import type { RotatedSession } from "./rotation.ts";
import type { Session } from "./session.ts";

/** The primary key of a session. */
export interface SessionKey {
  userId: string;
  sessionId: string;
}

/** One rotation as it is written. Times are epoch seconds. */
export interface Rotation {
  presentedHash: string;
  successorHash: string;
  rotationSalt: string;
  keyHash: string | undefined;
  now: number;
  /** Only a session last rotated at this time or earlier is rotated. */
  notRotatedSince: number;
  expiresAt: number;
}

/** What a conditional write did: the session after it, or the one that refused it (absent if there is none). */
export type WriteResult =
  | { written: true; session: Session }
  | { written: false; session: Session | undefined };

/** The sessions table. Every function throws AppError `unavailable` when DynamoDB is. */
export type SessionStore = ReturnType<typeof createSessionStore>;

/** Makes the store of the sessions table (partition key userId, sort key sessionId, TTL on expiresAt). */
export function createSessionStore(dynamodb: DynamoDB, tableName: string) {
  const { client, returnsItemOnFailure } = dynamodb;
  let unretried: DynamoDB | undefined;

  async function find(key: SessionKey, signal?: AbortSignal): Promise<Session | undefined> {
    const { Item } = await client
      .send(
        new GetCommand({ TableName: tableName, Key: keyOf(key), ConsistentRead: true }),
        toOptions(signal),
      )
      .catch(unavailable);
    return Item && parseSession(Item);
  }

  /** Sends one conditional update and asks for the item back, whether it was written or not. */
  async function update(
    key: SessionKey,
    expression: UpdateExpression,
    signal: AbortSignal | undefined,
  ): Promise<WriteResult> {
    const command = new UpdateCommand({
      TableName: tableName,
      Key: keyOf(key),
      ...expression,
      ReturnValues: "ALL_NEW",
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    });
    try {
      const { Attributes } = await client.send(command, toOptions(signal));
      return { written: true, session: parseSession(Attributes ?? {}) };
    } catch (error) {
      if (!isConditionFailure(error)) return unavailable(error);
      const item = findFailedItem(error);
      if (item) return { written: false, session: parseSession(item) };
      return { written: false, session: returnsItemOnFailure ? undefined : await find(key, signal) };
    }
  }

  return {
    /**
     * Stores a new session. Sent once: if it is not acknowledged, a late copy may still arrive, so the caller
     * starts again with another session id and another token, and nobody ever holds the token of the late one.
     */
    async put(session: Session): Promise<void> {
      unretried ??= withoutRetries(dynamodb);
      await unretried.client
        .send(
          new PutCommand({
            TableName: tableName,
            Item: session,
            ConditionExpression: "attribute_not_exists(sessionId)",
          }),
        )
        .catch(unavailable);
    },

    /** Replaces the pair of a session by its successor: the one write of a refresh. */
    rotate(key: SessionKey, rotation: Rotation, signal?: AbortSignal): Promise<WriteResult> {
      const { presentedHash, successorHash, rotationSalt, keyHash, now, notRotatedSince, expiresAt } =
        rotation;
      return update(
        key,
        {
          UpdateExpression:
            "SET previousTokenHash = :presented, tokenHash = :successor, rotationSalt = :salt, " +
            `rotatedAt = :now, expiresAt = :expiresAt${
              keyHash === undefined ? " REMOVE rotationKeyHash" : ", rotationKeyHash = :key"
            }`,
          ConditionExpression:
            "tokenHash = :presented AND expiresAt > :now " +
            "AND (attribute_not_exists(rotatedAt) OR rotatedAt <= :notRotatedSince)",
          ExpressionAttributeValues: {
            ":presented": presentedHash,
            ":successor": successorHash,
            ":salt": rotationSalt,
            ":now": now,
            ":notRotatedSince": notRotatedSince,
            ":expiresAt": expiresAt,
            ":key": keyHash,
          },
        },
        signal,
      );
    },

    /** Starts the interval of an unchanged pair anew, if the session is still exactly as it was seen. */
    rearm(
      seen: RotatedSession,
      times: { now: number; expiresAt: number },
      signal?: AbortSignal,
    ): Promise<WriteResult> {
      return update(
        seen,
        {
          UpdateExpression: "SET rotatedAt = :now, expiresAt = :expiresAt",
          ConditionExpression:
            "tokenHash = :tokenHash AND previousTokenHash = :previousTokenHash AND rotatedAt = :rotatedAt",
          ExpressionAttributeValues: {
            ":tokenHash": seen.tokenHash,
            ":previousTokenHash": seen.previousTokenHash,
            ":rotatedAt": seen.rotatedAt,
            ":now": times.now,
            ":expiresAt": times.expiresAt,
          },
        },
        signal,
      );
    },

    /** Ends a session, whether or not it exists. */
    async delete(key: SessionKey, signal?: AbortSignal): Promise<void> {
      const command = new DeleteCommand({ TableName: tableName, Key: keyOf(key) });
      await client.send(command, toOptions(signal)).catch(unavailable);
    },
  };
}

interface UpdateExpression {
  UpdateExpression: string;
  ConditionExpression: string;
  ExpressionAttributeValues: Item;
}

/** An aborted call does not go on in a sandbox that was frozen after its answer. */
const toOptions = (signal: AbortSignal | undefined) => (signal ? { abortSignal: signal } : {});

const keyOf = ({ userId, sessionId }: SessionKey): SessionKey => ({ userId, sessionId });

const required = {
  userId: "string",
  sessionId: "string",
  email: "string",
  tokenHash: "string",
  createdAt: "number",
  expiresAt: "number",
} as const;
const optional = {
  previousTokenHash: "string",
  rotationSalt: "string",
  rotatedAt: "number",
  rotationKeyHash: "string",
  keyed: "boolean",
  userAgent: "string",
  ip: "string",
} as const;

/** A damaged item is our trouble, not the client's: 503, and the session stays as it is. */
function parseSession(item: Item): Session {
  const isSound =
    Object.entries(required).every(([name, type]) => typeof item[name] === type) &&
    Object.entries(optional).every(([name, type]) => item[name] === undefined || typeof item[name] === type);
  if (!isSound)
    throw new AppError("unavailable", { cause: new TypeError("a session item has a wrong shape") });
  return { ...item, keyed: item.keyed === true } as Session;
}
