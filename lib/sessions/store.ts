import { DeleteCommand, PutCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import * as v from "valibot";
import { toSeconds } from "../clock.ts";
import { deleteItems } from "../delete-items.ts";
import type { DeviceKey } from "../device-binding/challenge.ts";
import {
  type DynamoDB,
  getItem,
  type Item,
  isConditionFailure,
  setOrRemove,
  type UpdateExpression,
  unavailable,
  updateItem,
  withoutRetries,
  writeOne,
} from "../dynamodb.ts";
import { parseItem } from "../parse-item.ts";
import type { PresentedKeys } from "./presented-keys.ts";
import type { RotatedSession } from "./rotation.ts";
import { type Client, type Session, sessionType, toNoted } from "./session.ts";

/** The primary key of a session. */
export interface SessionAddress {
  userId: string;
  sessionId: string;
}

/** Answers whether the value can be a session id of ours; others are not looked for. */
export function isSessionId(value: unknown): value is string {
  return typeof value === "string" && /^[\w-]{1,64}$/.test(value);
}

/** One rotation as it is written. */
export interface Rotation extends Pick<PresentedKeys, "keyHash" | "sessionKeyHash"> {
  presentedHash: string;
  /** Only a session that is bound to it is rotated; undefined: only one that is bound to none. */
  deviceKey?: DeviceKey | undefined;
  successorHash: string;
  rotationSalt: string;
  /** Epoch milliseconds. */
  nowMs: number;
  /** Only a session last rotated at this time or earlier is rotated; epoch milliseconds. */
  notRotatedSinceMs: number;
  /** Epoch seconds. */
  expiresAt: number;
  /** Who renews: the list of sessions shows it. */
  client: Client;
}

/** Which key a session is to be bound to, by whoever presents its first refresh token; epoch seconds. */
interface Binding {
  presentedHash: string;
  deviceKey: DeviceKey;
  now: number;
}

/** What a conditional write did: the session after it, or the one that refused it (absent if there is none). */
export type WriteResult =
  | { written: true; session: Session }
  | { written: false; session: Session | undefined };

/** What became of a session that was to end: it has been ended, there was none, or it is of a later epoch. */
export type EndResult = { is: "ended" | "none"; item: Item } | { is: "newer" };

/**
 * The sessions table. Every function throws AppError `unavailable` when DynamoDB is, and `internal_error` for an item
 * that is damaged.
 */
export type SessionStore = ReturnType<typeof createSessionStore>;

/** Makes the store of the sessions table (partition key userId, sort key sessionId, TTL on expiresAt). */
export function createSessionStore(client: DynamoDB, tableName: string) {
  const addressOf = ({ userId, sessionId }: SessionAddress) => {
    return { TableName: tableName, Key: { userId, sessionId } };
  };
  let unretried: DynamoDB | undefined;

  async function update(key: SessionAddress, expression: UpdateExpression): Promise<WriteResult> {
    const { written, item } = await updateItem(client, addressOf(key), expression);
    if (written) return { written, session: parseItem(sessionType, item) };
    return { written, session: item && parseItem(sessionType, item) };
  }

  return {
    /**
     * Stores a new session. Sent once: if it is not acknowledged, a late copy may still arrive, so the caller
     * starts again with another session id and another token, and nobody ever holds the token of the late one.
     */
    async put(session: Session): Promise<void> {
      unretried ??= withoutRetries(client);
      await unretried
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
    rotate(key: SessionAddress, rotation: Rotation): Promise<WriteResult> {
      const { presentedHash, successorHash, rotationSalt, nowMs, sessionKeyHash, deviceKey } = rotation;
      const noted = setOrRemove({
        ...{ rotationKeyHash: rotation.keyHash, rearms: undefined, userAgent: undefined, ip: undefined },
        ...toNoted(rotation.client),
      });
      const hasKey = sessionKeyHash === undefined ? "" : " OR sessionKeyHash = :sessionKey";
      const isOurs = `attribute_not_exists(deviceKey) AND (attribute_not_exists(sessionKeyHash)${hasKey})`;
      return update(key, {
        UpdateExpression:
          "SET previousTokenHash = :presented, tokenHash = :successor, rotationSalt = :salt, " +
          "rotatedAt = :now, rotatedAtMs = :nowMs, renewedAtMs = :nowMs, expiresAt = :expiresAt, " +
          `previousKeyHash = if_not_exists(rotationKeyHash, :none)${noted.set}${noted.remove}`,
        ConditionExpression:
          "tokenHash = :presented AND expiresAt > :now " +
          "AND (attribute_not_exists(rotatedAtMs) OR rotatedAtMs <= :notRotatedSince) " +
          `AND ${deviceKey === undefined ? isOurs : "deviceKey = :device"}`,
        ExpressionAttributeValues: {
          ":presented": presentedHash,
          ":successor": successorHash,
          ":salt": rotationSalt,
          ":now": toSeconds(nowMs),
          ":nowMs": nowMs,
          ":notRotatedSince": rotation.notRotatedSinceMs,
          ":expiresAt": rotation.expiresAt,
          ":none": "none",
          ...(deviceKey === undefined ? { ":sessionKey": sessionKeyHash } : { ":device": deviceKey }),
          ...noted.values,
        },
      });
    },

    /**
     * Binds a session to the key of a browser, on condition that the token which was presented is still current; again to
     * the same key. Answers whether it is bound to it.
     */
    async bind(key: SessionAddress, { presentedHash, deviceKey, now }: Binding): Promise<boolean> {
      const { written } = await update(key, {
        UpdateExpression: "SET deviceKey = :device",
        ConditionExpression:
          "expiresAt > :now AND tokenHash = :presented " +
          "AND (attribute_not_exists(deviceKey) OR deviceKey = :device)",
        ExpressionAttributeValues: { ":device": deviceKey, ":presented": presentedHash, ":now": now },
      });
      return written;
    },

    /** Starts the interval of an unchanged pair anew, and counts that, if the session is still exactly as it was seen. */
    rearm(seen: RotatedSession, times: { nowMs: number; expiresAt: number }): Promise<WriteResult> {
      return update(seen, {
        UpdateExpression:
          "SET rotatedAt = :now, rotatedAtMs = :nowMs, expiresAt = :expiresAt, rearms = :rearms",
        ConditionExpression:
          "tokenHash = :tokenHash AND previousTokenHash = :previousTokenHash AND rotatedAtMs = :rotatedAt",
        ExpressionAttributeValues: {
          ":tokenHash": seen.tokenHash,
          ":previousTokenHash": seen.previousTokenHash,
          ":rotatedAt": seen.rotatedAtMs,
          ":now": toSeconds(times.nowMs),
          ":nowMs": times.nowMs,
          ":expiresAt": times.expiresAt,
          ":rearms": (seen.rearms ?? 0) + 1,
        },
      });
    },

    /** Ends a session, whether or not it exists. */
    async delete(key: SessionAddress): Promise<void> {
      await writeOne(() => client.send(new DeleteCommand(addressOf(key)))).catch(unavailable);
    },

    /**
     * Ends a session on the strength of another one of the user, whose epoch is given: one of a later epoch is not ended.
     * Gives it as it was.
     */
    async end(key: SessionAddress, epoch: number): Promise<EndResult> {
      try {
        const command = new DeleteCommand({
          ...addressOf(key),
          ConditionExpression: "NOT sessionEpoch > :epoch",
          ExpressionAttributeValues: { ":epoch": epoch },
          ReturnValues: "ALL_OLD",
        });
        const { Attributes, $metadata } = await writeOne(() => client.send(command));
        // An earlier attempt of this very call may have deleted it; its response was lost.
        return { is: Attributes || ($metadata.attempts ?? 1) > 1 ? "ended" : "none", item: Attributes ?? {} };
      } catch (error) {
        return isConditionFailure(error) ? { is: "newer" } : unavailable(error);
      }
    },

    /** Reads a session, strongly consistent. */
    async find(key: SessionAddress): Promise<Session | undefined> {
      const item = await getItem(client, addressOf(key));
      return item && parseItem(sessionType, item);
    },

    /** Lists all items of a user, expired ones included, strongly consistent; only what the caller asks for. */
    async list<const Name extends keyof Session>(
      userId: string,
      names: readonly Name[],
    ): Promise<Pick<Session, Name>[]> {
      const all: Pick<Session, Name>[] = [];
      let after: string | undefined;
      do {
        const page = await this.page(userId, names, { after });
        all.push(...page.sessions);
        after = page.next;
      } while (after !== undefined);
      return all;
    },

    /**
     * Reads one page of them, in the order of their ids: what comes after `after`, at most `limit`, and no more than a
     * megabyte. `next` is where the next page begins; undefined: there is none.
     */
    async page<const Name extends keyof Session>(
      userId: string,
      names: readonly Name[],
      { after, limit }: { after?: string | undefined; limit?: number } = {},
    ): Promise<{ sessions: Pick<Session, Name>[]; next: string | undefined }> {
      const { Items = [], LastEvaluatedKey } = await client
        .send(
          new QueryCommand({
            TableName: tableName,
            KeyConditionExpression: "userId = :userId",
            ExpressionAttributeValues: { ":userId": userId },
            ProjectionExpression: names.join(", "),
            ConsistentRead: true,
            ExclusiveStartKey: after === undefined ? undefined : { userId, sessionId: after },
            Limit: limit,
          }),
        )
        .catch(unavailable);
      const type = { ...sessionType, schema: v.pick(sessionType.schema, names as never) };
      const sessions = Items.map((item) => parseItem(type, item) as unknown as Pick<Session, Name>);
      return { sessions, next: LastEvaluatedKey?.sessionId };
    },

    /** Ends many sessions, in batches. Throws AppError `unavailable` when some are left after all repeats. */
    deleteAll(keys: SessionAddress[]): Promise<void> {
      return deleteItems(
        client,
        tableName,
        keys.map((key) => addressOf(key).Key),
      );
    },
  };
}
