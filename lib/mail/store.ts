import { type DynamoDB, getItem, type Item, updateItem } from "../dynamodb.ts";
import type { TransactItem } from "../transaction.ts";
import type { CodeKind } from "./kinds.ts";
import { type Mail, parseMail } from "./mail.ts";
import { createOutbox } from "./outbox.ts";

/** After five wrong codes there is no right one. */
const maxTries = 5;
/** For so long nobody else sends what somebody is sending. */
export const leaseSeconds = 60;

/**
 * The table of mails. Every function throws AppError `unavailable` when DynamoDB is, and `internal_error` for an item that
 * is damaged.
 */
export type MailStore = ReturnType<typeof createMailStore>;

/** Makes the store of the table of mails (partition key: id; TTL on expiresAt). */
export function createMailStore(client: DynamoDB, tableName: string) {
  const addressOf = (id: string) => ({ TableName: tableName, Key: { id } });

  /** Notes what became of a mail; does nothing where something has become of it already. */
  async function noteEnd(id: string, set: string, values: Item): Promise<void> {
    await updateItem(client, addressOf(id), {
      UpdateExpression: set,
      ConditionExpression: isWaiting,
      ExpressionAttributeValues: values,
    });
  }

  return {
    ...createOutbox(client, tableName),

    /** Reads a mail, strongly consistent. */
    async find(id: string): Promise<Mail | undefined> {
      const item = await getItem(client, addressOf(id));
      return item && parseMail(item);
    },

    /**
     * Counts one code that was presented: a wrong one as a try, a right one as the proof, in the one write that looks
     * whether it still counts. Undefined if it does not: there is no such mail of this kind, it is too old, or there were
     * five wrong ones. A retry of the SDK may count a wrong one twice. With `use` a right one counts once, in the same write:
     * again only for the same request, or the same Idempotency-Key.
     */
    async prove(
      { kind, id, isRight, use }: { kind: CodeKind; id: string; isRight: boolean; use?: Use | undefined },
      now: number,
    ): Promise<Mail | undefined> {
      const right = createRight(use);
      const { written, item } = await updateItem(client, addressOf(id), {
        UpdateExpression: isRight ? right.set : "ADD tries :one",
        ConditionExpression: `${isRight ? right.condition : ""}(attribute_not_exists(tries) OR tries < :max) AND kind = :kind AND validUntil > :now`,
        ExpressionAttributeValues: {
          ...{ ":now": now, ":max": maxTries, ":kind": kind },
          ...(isRight ? right.values : { ":one": 1 }),
        },
      });
      return written && item ? parseMail(item) : undefined;
    },

    /** Takes the first use of a mail back that led to nothing; does nothing where another request has used it. */
    async giveBack({ id, usedAt }: Mail, { by, at }: Use): Promise<void> {
      if (usedAt === undefined || usedAt < at) return;
      await updateItem(client, addressOf(id), {
        UpdateExpression: "REMOVE usedAt, usedBy, usedKeyHash",
        ConditionExpression: "usedBy = :by",
        ExpressionAttributeValues: { ":by": by },
      });
    },

    /** The part of a transaction that does what a mail is for: once. */
    toUse(id: string, now: number): TransactItem {
      return {
        Update: {
          ...addressOf(id),
          UpdateExpression: "SET usedAt = :now",
          ConditionExpression: "attribute_exists(id) AND attribute_not_exists(usedAt)",
          ExpressionAttributeValues: { ":now": now },
        },
      };
    },

    /**
     * Takes a mail to send it, for a minute, and notes whose account it is about. `counted`: ours, and counted before.
     * `over`: something has become of it already. `taken`: somebody else is at it.
     */
    async lease(
      id: string,
      now: number,
      userId: string | undefined,
    ): Promise<"ours" | "counted" | "over" | "taken"> {
      const { written, item } = await updateItem(client, addressOf(id), {
        UpdateExpression: `SET sendingAt = :now${userId === undefined ? "" : ", userId = if_not_exists(userId, :user)"}`,
        ConditionExpression: `(attribute_not_exists(sendingAt) OR sendingAt < :free) AND ${isWaiting}`,
        ExpressionAttributeValues: {
          ...{ ":now": now, ":free": now - leaseSeconds },
          ...(userId !== undefined && { ":user": userId }),
        },
      });
      if (written) return item.countedAt === undefined ? "ours" : "counted";
      return item && item.sentAt === undefined && item.failedAt === undefined ? "taken" : "over";
    },

    /** Gives a mail back that could not be sent now, if it is still ours, and notes whether it is counted. */
    async release(
      id: string,
      { sendingAt, isCounted }: { sendingAt: number; isCounted: boolean },
    ): Promise<void> {
      await updateItem(client, addressOf(id), {
        UpdateExpression: `${isCounted ? "SET countedAt = :ours " : ""}REMOVE sendingAt`,
        ConditionExpression: `sendingAt = :ours AND ${isWaiting}`,
        ExpressionAttributeValues: { ":ours": sendingAt },
      });
    },

    /** Notes that a mail was sent, and as what SES knows it. */
    noteSent: (id: string, { sentAt, messageId }: { sentAt: number; messageId: string }): Promise<void> =>
      noteEnd(id, "SET sentAt = :at, messageId = :message", { ":at": sentAt, ":message": messageId }),

    /** Notes that a mail is not sent, and why: the name of an error, never its text. */
    noteFailed: (id: string, { failedAt, failure }: { failedAt: number; failure: string }): Promise<void> =>
      noteEnd(id, "SET failedAt = :at, failure = :failure", { ":at": failedAt, ":failure": failure }),
  };
}

/** Who uses a mail up: a request by its random name, when it came (epoch seconds), and the hash of its Idempotency-Key. */
export interface Use {
  by: string;
  at: number;
  keyHash: string | undefined;
}

/** What the write of a right code does, and asks beside all others. */
function createRight(use: Use | undefined) {
  const proved = "SET provedAt = if_not_exists(provedAt, :now)";
  if (!use) return { set: proved, condition: "", values: {} };
  const { by, keyHash } = use;
  const used = `${proved}, usedAt = if_not_exists(usedAt, :now), usedBy = :by`;
  const isOurs = "attribute_not_exists(usedAt) OR usedBy = :by";
  if (keyHash === undefined) return { set: used, condition: `(${isOurs}) AND `, values: { ":by": by } };
  return {
    set: `${used}, usedKeyHash = :key`,
    condition: `(${isOurs} OR usedKeyHash = :key) AND `,
    values: { ":by": by, ":key": keyHash },
  };
}

/** The condition of every note of what became of a mail: there is one, and nothing has yet. */
const isWaiting = "attribute_exists(id) AND attribute_not_exists(sentAt) AND attribute_not_exists(failedAt)";
