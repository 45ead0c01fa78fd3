import * as v from "valibot";
import { type DynamoDB, getItem, type Item, type UpdateExpression, updateItem } from "../dynamodb.ts";
import { AppError } from "../errors.ts";
import { isStoredHash } from "../factors/phc-string.ts";
import { parseItem } from "../parse-item.ts";
import { passkeySchema } from "../passkeys/passkey.ts";
import type { Amr } from "../sessions/amr.ts";
import { type Change, changeSchema } from "./change.ts";
import { customClaims } from "./claims.ts";
import { isOpen, valuesOfOpen } from "./is-disabled.ts";

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
    /** argon2id, PHC string format, or an imported one until its user logs in; absent where no password opens the account. */
    passwordHash: v.exactOptional(v.pipe(v.string(), v.check(isStoredHash))),
    /** When the user changed the password last: mails of before are void. */
    passwordChangedAt: v.exactOptional(v.number()),
    /** Which mail the password was reset by. */
    resetBy: v.exactOptional(v.string()),
    /** Identities other than the address; the index has an entry for each. */
    identityIds: v.exactOptional(v.set(v.string())),
    /** By their `passkeyId`. */
    passkeys: v.exactOptional(v.record(v.string(), passkeySchema)),
    /** Raised whenever all sessions of the user are ended. */
    sessionEpoch: v.number(),
    /** The epoch before which no session is left; lower than `sessionEpoch` while they are being deleted. */
    sweptEpoch: v.number(),
    /** Since when an operator lets nobody in. */
    disabledAt: v.exactOptional(v.number()),
    /** When the deletion of the account began. While it is under way nobody gets in, nor is anything else changed. */
    deletingAt: v.exactOptional(v.number()),
    /** The address before the last change of it, which mail that was by, and until when it can be undone. */
    previousEmail: v.exactOptional(v.string()),
    movedBy: v.exactOptional(v.string()),
    undoUntil: v.exactOptional(v.number()),
    /**
     * The second factor: the name of its enrolment, of which its secret is derived; the last step of its clock that was used,
     * and by which request.
     */
    totp: v.exactOptional(
      v.object({
        enrolment: v.string(),
        step: v.number(),
        usedBy: v.exactOptional(v.string()),
        confirmedAt: v.number(),
      }),
    ),
    /** The recovery codes: the name of their series, and by which requests some of them were used (`c0` to `c9`). */
    recovery: v.exactOptional(
      v.object({ seriesId: v.string(), used: v.record(v.string(), v.string()), createdAt: v.number() }),
    ),
    /** Absent, too, since a login that used up a code of a second factor. */
    lastChange: v.exactOptional(changeSchema),
    createdAt: v.number(),
    /** Set by an administrator. */
    ...customClaims,
  }),
};

/** An account as the table holds it. */
export type User = v.InferOutput<typeof userType.schema>;

/** For so long a change of the address can be undone, and the address before is kept free. */
export const undoSeconds = 604_800;

/** Reads a user as the table holds it. Throws AppError `internal_error` for one that is damaged. */
export const parseUser = (item: Item): User => parseItem(userType, item);

/** Answers whether a change of the address can still be undone; until then neither it nor the account is changed again. */
export const isUndoable = ({ undoUntil = 0 }: User, now: number): boolean => undoUntil > now;

/** Throws AppError `email_changed_recently` while a change of the address can be undone; `now` is in epoch seconds. */
export function assertNotUndoable(user: User, now: number): void {
  if (!isUndoable(user, now)) return;
  throw new AppError("email_changed_recently", {
    detail:
      "The e-mail address was changed less than seven days ago. Try again when that can no longer be undone.",
  });
}

/** Whoever has changed a password waits for so long: each change voids the codes with which its owner would set another. */
const passwordPauseSeconds = 600;

/** How many seconds are left until the password may be changed again by whoever knows it; 0 if it may be now. */
export const findPasswordPause = (
  { passwordChangedAt = Number.NEGATIVE_INFINITY }: User,
  now: number,
): number => Math.max(0, passwordChangedAt + passwordPauseSeconds - now);

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
    const user = item && parseUser(item);
    return written || user?.lastChange?.id === change.id ? user : undefined;
  }

  return {
    /** Reads a user, strongly consistent. */
    async find(userId: string): Promise<User | undefined> {
      const item = await getItem(client, addressOf(userId));
      return item && parseUser(item);
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
     * Sets a new password, or the first one, and raises the epoch – if the hash is still the one that was read, or there is
     * none, and the caller's session is of this epoch; undefined if not. `amr` is how the caller was proven.
     */
    changePassword(
      caller: Caller,
      { from, to, amr }: { from: string | undefined; to: string; amr: Amr | undefined },
      change: Change,
    ): Promise<User | undefined> {
      return raise(caller, change, {
        // The mail that the one before was set by says nothing of this one.
        set: ", passwordHash = :to, passwordChangedAt = :at REMOVE resetBy",
        condition: from === undefined ? hasNoPassword(amr) : " AND passwordHash = :from",
        values: { ...(from !== undefined && { ":from": from }), ":to": to, ":at": change.at },
      });
    },

    /**
     * Sets a new password by a mailed code, and raises the epoch: if the address that the code was mailed to is still the
     * user's, and the password was not changed since it was asked for. Where it was not, the user is given as it is. Where
     * this is the first proof of the address, nothing else opens the account any more: it may be another's who registered. One
     * that has a second factor is left as it is.
     */
    async reset(
      { userId, email, askedAt, resetBy }: ResetRequest,
      passwordHash: string,
      change: Change,
    ): Promise<{ isReset: boolean; user: User | undefined }> {
      const write = (remove: string, condition: string) =>
        updateItem(client, addressOf(userId), {
          UpdateExpression: `SET passwordHash = :hash, passwordChangedAt = :at, resetBy = :by, sessionEpoch = sessionEpoch + :next, emailVerifiedAt = if_not_exists(emailVerifiedAt, :at), lastChange = :change${remove}`,
          ConditionExpression: `(attribute_not_exists(passwordChangedAt) OR passwordChangedAt < :asked) AND email = :email AND ${isOpen} AND ${condition}`,
          ExpressionAttributeValues: {
            ...{ ":hash": passwordHash, ":by": resetBy, ":next": 1, ":change": change },
            // Clocks differ: a code must be older than the change that it made.
            ...{ ":asked": askedAt, ":at": Math.max(change.at, askedAt), ":email": email },
            ...valuesOfOpen(change.at),
          },
        });
      // Most accounts have nothing to remove, which needs no look.
      const keepsAll = () =>
        write(
          "",
          "(attribute_not_exists(identityIds) OR attribute_exists(emailVerifiedAt)) AND (attribute_not_exists(passkeys) OR attribute_exists(emailVerifiedAt)) AND (attribute_not_exists(totp) OR attribute_exists(emailVerifiedAt))",
        );
      let result = await keepsAll();
      const { identityIds, passkeys, emailVerifiedAt } = result.item ?? {};
      if (!result.written && (identityIds || passkeys) && !emailVerifiedAt) {
        result = await write(
          " REMOVE identityIds, passkeys",
          "attribute_not_exists(emailVerifiedAt) AND attribute_not_exists(totp)",
        );
        // Proven by somebody else between the two, and never unproven again.
        if (!result.written && result.item?.emailVerifiedAt) result = await keepsAll();
      }
      const user = result.item && parseUser(result.item);
      return { isReset: result.written || user?.lastChange?.id === change.id, user };
    },

    /**
     * Notes the first proof of an address, raises the epoch, and lets nothing else open the account any more: it may be
     * another's who registered. Undefined if the user is not as it was read.
     */
    proveAddress(user: User, change: Change): Promise<User | undefined> {
      return raise(user, change, {
        set: ", emailVerifiedAt = :at REMOVE passwordHash, identityIds, passkeys",
        condition:
          " AND attribute_not_exists(emailVerifiedAt) AND attribute_not_exists(totp) AND email = :email",
        values: { ":at": change.at, ":email": user.email },
      });
    },

    /**
     * Raises the epoch. Undefined if there is no such user, or if the caller's session is of an earlier epoch: it has been
     * ended itself.
     */
    raiseSessionEpoch: (caller: Caller, change: Change): Promise<User | undefined> => raise(caller, change),

    /** Notes that the address of a user has been proven; false if it is another one, or the caller's session is over. */
    async proveEmail(caller: Caller, email: string, change: Change): Promise<boolean> {
      const { written, item } = await updateItem(client, addressOf(caller.userId), {
        UpdateExpression: "SET emailVerifiedAt = :at, lastChange = :change",
        ConditionExpression: `${isCallers} AND email = :email`,
        ExpressionAttributeValues: {
          ...{ ":at": change.at, ":change": change, ":email": email },
          ...valuesOfCaller(caller, change.at),
        },
      });
      return written || (item && parseUser(item))?.lastChange?.id === change.id;
    },

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

/**
 * The condition of what is done without a password: the account has none – and no second factor, where the caller was proven by
 * one alone.
 */
export const hasNoPassword = (amr: Amr | undefined): string =>
  ` AND attribute_not_exists(passwordHash)${amr ? "" : " AND attribute_not_exists(totp)"}`;

/** The update that raises a user's epoch on the strength of a session: one that was ended changes nothing. */
export function createRaise(
  caller: Caller,
  change: Change,
  { set = "", condition = "", values = {} }: MoreOfRaise = {},
): UpdateExpression {
  return {
    UpdateExpression: `SET sessionEpoch = sessionEpoch + :one, lastChange = :change${set}`,
    ConditionExpression: `${isCallers}${condition}`,
    ExpressionAttributeValues: {
      ...{ ":one": 1, ":change": change, ...valuesOfCaller(caller, change.at), ...values },
    },
  };
}

/** The code that a password is set by: which mail it came with, where to, and when it was asked for (epoch seconds). */
interface ResetRequest {
  userId: string;
  email: string;
  askedAt: number;
  resetBy: string;
}

/** The second factor of a user, and its recovery codes, as they are written. */
export type Totp = NonNullable<User["totp"]>;
export type Recovery = NonNullable<User["recovery"]>;

/** The condition of every write to a user on the strength of a session, with `valuesOfCaller`: one that was ended changes nothing. */
export const isCallers = `sessionEpoch = :epoch AND ${isOpen}`;

/** The values of the condition `isCallers`; `now` is in epoch seconds. */
export const valuesOfCaller = ({ sessionEpoch }: Caller, now: number) => ({
  ":epoch": sessionEpoch,
  ...valuesOfOpen(now),
});
