import type { Config } from "../config.ts";
import { type DynamoDB, setOrRemove } from "../dynamodb.ts";
import { type TransactItem, transact } from "../transaction.ts";
import type { Change } from "./change.ts";
import { createIdentityStore, emailIdentity, type IdentityEntry } from "./identities.ts";
import { type Caller, createRaise, createUserStore, type User, undoSeconds } from "./store.ts";

/** A change of address. */
export interface Move {
  from: string;
  /** Whether somebody has proven the address before: nobody else's is kept free, or undoes anything. */
  isProven: boolean;
  to: string;
  /** The id of the mail whose code confirmed it. */
  movedBy: string;
}

/** What became of a move: the new address is another's, or something else has happened to the caller since it was read. */
export type MoveOutcome = "moved" | "taken" | "overtaken";

/** A user whose last change of address is known. */
export type MovedUser = User & Required<Pick<User, "previousEmail" | "movedBy" | "undoUntil">>;

/** Answers whether it was this mail, confirmed by this session, that moved a user, and nothing has ended its sessions since. */
export const isMovedBy = (user: User | undefined, movedBy: string, { sessionEpoch }: Caller): user is User =>
  user?.movedBy === movedBy && user.sessionEpoch === sessionEpoch + 1;

/** Changes of address and their undoing. Both functions throw AppError `unavailable` when DynamoDB is. */
export type Moves = ReturnType<typeof createMoves>;

/** Makes what moves a user to another address, and back: each is one transaction over the user and two entries of the index. */
export function createMoves(
  client: DynamoDB,
  { usersTable, identitiesTable }: Config<"usersTable" | "identitiesTable">,
) {
  const users = createUserStore(client, usersTable);
  const identities = createIdentityStore(client, identitiesTable);

  const put = (Item: IdentityEntry, ConditionExpression: string, values: object): TransactItem => ({
    Put: {
      ...{ TableName: identitiesTable, Item, ConditionExpression },
      ExpressionAttributeValues: { ...values },
    },
  });

  const remove = (identity: string, ConditionExpression: string, values: object): TransactItem => ({
    Delete: {
      ...{ TableName: identitiesTable, Key: { identity }, ConditionExpression },
      ExpressionAttributeValues: { ...values },
    },
  });

  return {
    /**
     * Moves the caller and ends all sessions. An address that was proven is kept free for as long as it can undo that; any
     * other may be a stranger's, and is free at once.
     */
    async move(caller: Caller, { from, isProven, to, movedBy }: Move, change: Change): Promise<MoveOutcome> {
      const { userId } = caller;
      const now = change.at;
      const until = now + undoSeconds;
      const entry = { userId, createdAt: now };
      const before = emailIdentity(from);
      const reservation = { identity: before, ...entry, reservedUntil: until, expiresAt: until };
      const raise = createRaise(caller, change, {
        set: `, email = :to, emailVerifiedAt = :now, movedBy = :by${isProven ? ", previousEmail = :from, undoUntil = :until" : ""}`,
        // One that is proven stays so.
        condition: ` AND email = :from${isProven ? "" : " AND attribute_not_exists(emailVerifiedAt)"} AND (attribute_not_exists(undoUntil) OR undoUntil <= :now)`,
        values: {
          ...{ ":from": from, ":to": to, ":by": movedBy, ":now": now },
          ...(isProven && { ":until": until }),
        },
      });
      const isFree = "attribute_not_exists(userId) OR reservedUntil <= :now";
      const isOwn = "userId = :userId AND attribute_not_exists(reservedUntil)";
      const own = { ":userId": userId };
      const items: TransactItem[] = [
        put({ identity: emailIdentity(to), ...entry }, isFree, { ":now": now }),
        isProven ? put(reservation, isOwn, own) : remove(before, isOwn, own),
        { Update: { TableName: usersTable, Key: { userId }, ...raise } },
      ];
      const isDone = async () => isMovedBy(await users.find(userId), movedBy, caller);
      const result = await transact(client, items, { isDone });
      // What refused it may be our own earlier attempt.
      if (result.written || (await isDone())) return "moved";
      return result.verdicts[0]?.isRefused ? "taken" : "overtaken";
    },

    /**
     * Takes a user back to the address before, with a new password, and ends all sessions. Of other identities, of passkeys
     * and of a second factor, that stays which had been there for seven days when the address was changed. False if anything
     * else has happened to the user since it was read.
     */
    async undo(
      user: MovedUser,
      { undoneBy, passwordHash }: { undoneBy: string; passwordHash: string },
      change: Change,
    ): Promise<boolean> {
      const { userId, email, previousEmail, movedBy, undoUntil, sessionEpoch } = user;
      const now = change.at;
      const before = undoUntil - 2 * undoSeconds;
      const kept = await listOlder(user, before);
      // Set whole, as they were read: what a thief adds meanwhile does not stay.
      const totp = user.totp && user.totp.confirmedAt < before ? user.totp : undefined;
      const recovery = totp && user.recovery && user.recovery.createdAt < before ? user.recovery : undefined;
      const changed = setOrRemove({
        ...{
          identityIds: kept,
          passkeys: pickOlder(user, before),
          totp,
          recovery,
        },
        ...{ previousEmail: undefined, movedBy: undefined, undoUntil: undefined },
      });
      const restored = { identity: emailIdentity(previousEmail), userId, createdAt: now };
      const values = { ":userId": userId, ":now": now };
      const items: TransactItem[] = [
        put(restored, "userId = :userId AND reservedUntil > :now", values),
        remove(emailIdentity(email), "userId = :userId", { ":userId": userId }),
        {
          Update: {
            ...{ TableName: usersTable, Key: { userId } },
            UpdateExpression:
              "SET email = :email, emailVerifiedAt = :now, passwordHash = :hash, passwordChangedAt = :now, resetBy = :by, " +
              `sessionEpoch = sessionEpoch + :one, lastChange = :change${changed.set}${changed.remove}`,
            ConditionExpression: "movedBy = :movedBy AND sessionEpoch = :epoch",
            ExpressionAttributeValues: {
              ...{ ":email": previousEmail, ":hash": passwordHash, ":by": undoneBy, ":now": now, ":one": 1 },
              ...{ ":change": change, ":movedBy": movedBy, ":epoch": sessionEpoch },
              ...changed.values,
            },
          },
        },
      ];
      const isDone = async () => (await users.find(userId))?.lastChange?.id === change.id;
      return (await transact(client, items, { isDone })).written;
    },
  };

  /** The identities of a user, but for the address, that were there before a time (epoch seconds), if there are any. */
  async function listOlder(
    { identityIds = new Set() }: User,
    before: number,
  ): Promise<Set<string> | undefined> {
    const entries = await Promise.all([...identityIds].map((identity) => identities.find(identity)));
    const older = entries.flatMap((entry) => (entry && entry.createdAt < before ? [entry.identity] : []));
    return older.length > 0 ? new Set(older) : undefined;
  }
}

/** The passkeys of a user that were there before a time (epoch seconds), if there are any. */
function pickOlder({ passkeys = {} }: User, before: number): User["passkeys"] {
  const older = Object.entries(passkeys).filter(([, { createdAt }]) => createdAt < before);
  return older.length > 0 ? Object.fromEntries(older) : undefined;
}
