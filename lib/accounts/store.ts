import * as v from "valibot";
import { type DynamoDB, getItem, type Item, type UpdateExpression, updateItem } from "../dynamodb.ts";
import { findHash } from "../factors/phc-string.ts";
import { parseItem } from "../parse-item.ts";
import { type Change, changeSchema } from "./change.ts";
import { customClaims } from "./claims.ts";

/** An account as the table holds it. Times are epoch seconds. */
const userType = {
  name: "user",
  keyNames: ["userId"],
  schema: v.object({
    userId: v.string(),
    email: v.string(),
    emailVerifiedAt: v.exactOptional(v.number()),
    /** The language of notices: that of the browser that registered, not of whoever changes something. */
    language: v.exactOptional(v.string()),
    /** argon2id, PHC string format; absent where no password opens the account. */
    passwordHash: v.exactOptional(
      v.pipe(
        v.string(),
        v.check((text) => findHash(text) !== undefined),
      ),
    ),
    /** When the user changed the password last: mails of before are void. */
    passwordChangedAt: v.exactOptional(v.number()),
    /** Which mail the password was reset by. */
    resetBy: v.exactOptional(v.string()),
    /** Identities other than the address; the index has an entry for each. */
    identityIds: v.exactOptional(v.set(v.string())),
    /** Raised whenever all sessions of the user are ended. */
    sessionEpoch: v.number(),
    /** The epoch before which no session is left; lower than `sessionEpoch` while they are being deleted. */
    sweptEpoch: v.number(),
    /** Since when an operator lets nobody in. */
    disabledAt: v.exactOptional(v.number()),
    /** When the deletion of the account began. Nobody gets in any more, nor is anything else changed. */
    deletingAt: v.exactOptional(v.number()),
    /** The address before the last change of it, which mail that was by, and until when it can be undone. */
    previousEmail: v.exactOptional(v.string()),
    movedBy: v.exactOptional(v.string()),
    undoUntil: v.exactOptional(v.number()),
    lastChange: v.exactOptional(changeSchema),
    createdAt: v.number(),
    /** Set by an administrator. */
    ...customClaims,
  }),
};

/** An account as the table holds it. */
export type User = v.InferOutput<typeof userType.schema>;

/** Answers whether nobody is let in: an operator disabled the account, or it is being deleted. */
export const isDisabled = ({ disabledAt, deletingAt }: User): boolean =>
  disabledAt !== undefined || deletingAt !== undefined;

/** A session on whose strength something is written: its own epoch, not the one that was just read of the user. */
export interface Caller {
  userId: string;
  sessionEpoch: number;
}

/**
 * The users table. Every function throws AppError `unavailable` when DynamoDB is, and `internal_error` for an item that
 * is damaged.
 */
export type UserStore = ReturnType<typeof createUserStore>;

/** Makes the store of the users table (partition key: userId). Who comes and goes is written by `directory.ts`. */
export function createUserStore(client: DynamoDB, tableName: string) {
  const addressOf = (userId: string) => ({ TableName: tableName, Key: { userId } });

  /** Ends, by raising the epoch, all sessions and logins under way. The SDK's retry of our own write is known by the change. */
  async function raise(caller: Caller, change: Change, more?: MoreOfRaise): Promise<User | undefined> {
    const { written, item } = await updateItem(
      client,
      addressOf(caller.userId),
      createRaise(caller, change, more),
    );
    const user = item && parseItem(userType, item);
    return written || user?.lastChange?.id === change.id ? user : undefined;
  }

  return {
    /** Reads a user, strongly consistent. */
    async find(userId: string): Promise<User | undefined> {
      const item = await getItem(client, addressOf(userId));
      return item && parseItem(userType, item);
    },

    /** Replaces a password hash by a stronger one of the same password, if it is still there; false if not. */
    async replacePasswordHash(userId: string, { from, to }: { from: string; to: string }): Promise<boolean> {
      const { written } = await updateItem(client, addressOf(userId), {
        UpdateExpression: "SET passwordHash = :to",
        ConditionExpression: "passwordHash = :from",
        ExpressionAttributeValues: { ":from": from, ":to": to },
      });
      return written;
    },

    /**
     * Sets a new password and raises the epoch – if the hash is still the one just verified and the caller's session is of
     * this epoch; undefined if not.
     */
    changePassword(
      caller: Caller,
      { from, to }: { from: string; to: string },
      change: Change,
    ): Promise<User | undefined> {
      return raise(caller, change, {
        set: ", passwordHash = :to, passwordChangedAt = :at",
        condition: " AND passwordHash = :from",
        values: { ":from": from, ":to": to, ":at": change.at },
      });
    },

    /**
     * Raises the epoch. Undefined if there is no such user, or if the caller's session is of an earlier epoch: it has been
     * ended itself.
     */
    raiseSessionEpoch: (caller: Caller, change: Change): Promise<User | undefined> => raise(caller, change),

    /** Notes that no session of an epoch before this one is left. */
    async noteSwept(userId: string, epoch: number): Promise<void> {
      await updateItem(client, addressOf(userId), {
        UpdateExpression: "SET sweptEpoch = :epoch",
        ConditionExpression: "sweptEpoch < :epoch",
        ExpressionAttributeValues: { ":epoch": epoch },
      });
    },
  };
}

/** What a write does and asks beside the raise of the epoch: the parts of its expressions that follow. */
export interface MoreOfRaise {
  set?: string;
  condition?: string;
  values?: Item;
}

/** The update that raises a user's epoch on the strength of a session: one that was ended changes nothing. */
export function createRaise(
  { sessionEpoch }: Caller,
  change: Change,
  { set = "", condition = "", values = {} }: MoreOfRaise = {},
): UpdateExpression {
  return {
    UpdateExpression: `SET sessionEpoch = sessionEpoch + :one, lastChange = :change${set}`,
    ConditionExpression: `${isCallers}${condition}`,
    ExpressionAttributeValues: { ":one": 1, ":change": change, ":epoch": sessionEpoch, ...values },
  };
}

/** The condition of every write to a user on the strength of a session: a session that was ended changes nothing. */
const isCallers =
  "sessionEpoch = :epoch AND attribute_not_exists(disabledAt) AND attribute_not_exists(deletingAt)";
