import { type DynamoDB, type Item, updateItem } from "../dynamodb.ts";
import type { Change } from "./change.ts";
import { isBeingDeleted } from "./is-disabled.ts";
import {
  type Caller,
  isCallers,
  parseUser,
  type Recovery,
  type Totp,
  type User,
  valuesOfCaller,
} from "./store.ts";

/** What is used up of a second factor: a step of an app's clock, or one recovery code. */
export type OtpUse =
  | { is: "totp"; enrolment: string; step: number }
  | { is: "recovery"; seriesId: string; place: string };

/** By whom, and when (epoch seconds), a code is used up. */
export interface Claim {
  /** The request that may do so again, since its answer may be lost. */
  by: string;
  now: number;
  /** What is told of it: that a recovery code was used, or the address proven. */
  change: Change | undefined;
  /** The request proves the address of the account, too. */
  provesEmail: boolean;
}

/**
 * What became of a claim. `used`: the code was used before. `overtaken`: the sessions of the user were all ended, nobody is
 * let in any more, or the factor is another one.
 */
export type ClaimOutcome = "claimed" | "used" | "overtaken";

/** What a change of a factor did; the user as it is where it did nothing. */
export type FactorOutcome = { written: true } | { written: false; user: User | undefined };

/** Second factors, on the users' items. Every function throws AppError `unavailable` when DynamoDB is. */
export type FactorStore = ReturnType<typeof createFactorStore>;

/** Makes the store of second factors: each write is one update of the user, with a condition. */
export function createFactorStore(client: DynamoDB, usersTable: string) {
  /** A change on the strength of a session. The SDK's retry of our own write is known by the change. */
  async function write(
    caller: Caller,
    {
      update,
      condition,
      values,
      change,
    }: { update: string; condition: string; values: Item; change: Change },
  ): Promise<FactorOutcome> {
    const { written, item } = await updateItem(
      client,
      { TableName: usersTable, Key: { userId: caller.userId } },
      {
        UpdateExpression: `SET lastChange = :change${update}`,
        ConditionExpression: `${isCallers} AND ${condition}`,
        ExpressionAttributeValues: { ":change": change, ...valuesOfCaller(caller, change.at), ...values },
      },
    );
    const user = item && parseUser(item);
    return written || user?.lastChange?.id === change.id ? { written: true } : { written: false, user };
  }

  return {
    /** Sets the second factor of the caller up, in place of the one that was seen, or of none. */
    set(
      caller: Caller,
      { totp, recovery }: { totp: Totp; recovery: Recovery },
      { seen, change }: { seen: string | undefined; change: Change },
    ): Promise<FactorOutcome> {
      return write(caller, {
        update: ", totp = :totp, recovery = :recovery",
        condition: seen === undefined ? "attribute_not_exists(totp)" : "totp.enrolment = :seen",
        values: { ":totp": totp, ":recovery": recovery, ":seen": seen },
        change,
      });
    },

    /** Takes the second factor that was seen from the caller, with its recovery codes. */
    remove(caller: Caller, { seen, change }: { seen: string; change: Change }): Promise<FactorOutcome> {
      return write(caller, {
        update: " REMOVE totp, recovery",
        condition: "totp.enrolment = :seen",
        values: { ":seen": seen },
        change,
      });
    },

    /** Replaces the recovery codes of the caller's factor, if they are those that were seen, or there are none. */
    setRecovery(
      caller: Caller,
      recovery: Recovery,
      { enrolment, seen, change }: { enrolment: string; seen: string | undefined; change: Change },
    ): Promise<FactorOutcome> {
      const isSeen = seen === undefined ? "attribute_not_exists(recovery)" : "recovery.seriesId = :seen";
      return write(caller, {
        update: ", recovery = :recovery",
        condition: `totp.enrolment = :enrolment AND ${isSeen}`,
        values: { ":recovery": recovery, ":enrolment": enrolment, ":seen": seen },
        change,
      });
    },

    /**
     * Uses a code up, once, if the user is still as it was read: steps only rise, and a recovery code is used by one. The image
     * of this write tells of no earlier change.
     */
    async claim(user: User, use: OtpUse, { by, now, change, provesEmail }: Claim): Promise<ClaimOutcome> {
      const { userId, sessionEpoch } = user;
      const { set, condition, values } = createClaim(use);
      const proof = provesEmail ? ", emailVerifiedAt = if_not_exists(emailVerifiedAt, :now)" : "";
      // The record of a deletion is needed when that ends.
      const changes = isBeingDeleted(user, now) ? { set: "", remove: "", values: {} } : toChanges(change);
      const { written, item } = await updateItem(
        client,
        { TableName: usersTable, Key: { userId } },
        {
          UpdateExpression: `SET ${set}${proof}${changes.set}${changes.remove}`,
          // A deletion that begins raises the epoch.
          ConditionExpression: `${condition} AND sessionEpoch = :epoch AND attribute_not_exists(disabledAt)`,
          ExpressionAttributeValues: {
            ":by": by,
            ":epoch": sessionEpoch,
            ...(provesEmail && { ":now": now }),
            ...values,
            ...changes.values,
          },
        },
      );
      if (written) return "claimed";
      return item && isAsRead(parseUser(item), user) ? "used" : "overtaken";
    },
  };
}

// A bracket stands first in a condition: one of our engines reads it wrongly elsewhere.
function createClaim(use: OtpUse): { set: string; condition: string; values: Item } {
  if (use.is === "totp")
    return {
      set: "totp.step = :step, totp.usedBy = :by",
      condition:
        "((totp.step = :step AND totp.usedBy = :by) OR totp.step < :step) AND totp.enrolment = :enrolment",
      values: { ":step": use.step, ":enrolment": use.enrolment },
    };
  const place = `recovery.used.${use.place}`;
  return {
    set: `${place} = :by`,
    condition: `(attribute_not_exists(${place}) OR ${place} = :by) AND recovery.seriesId = :series`,
    values: { ":series": use.seriesId },
  };
}

function toChanges(change: Change | undefined) {
  if (!change) return { set: "", remove: " REMOVE lastChange", values: {} };
  return { set: ", lastChange = :change", remove: "", values: { ":change": change } };
}

function isAsRead(found: User, read: User): boolean {
  return (
    found.sessionEpoch === read.sessionEpoch &&
    found.disabledAt === undefined &&
    found.totp?.enrolment === read.totp?.enrolment &&
    found.recovery?.seriesId === read.recovery?.seriesId
  );
}
