import { type DynamoDB, type Item, updateItem } from "../dynamodb.ts";
import type { Change } from "./change.ts";
import { isBeingDeleted } from "./is-disabled.ts";
import { parseUser, type User } from "./store.ts";

/** What is used up of a second factor: a step of an app's clock, or one recovery code, whose use is told. */
export type OtpUse =
  | { is: "totp"; enrolment: string; step: number }
  | { is: "recovery"; seriesId: string; place: string; change: Change };

/**
 * What became of a claim. `used`: the code was used before. `overtaken`: the sessions of the user were all ended, nobody is
 * let in any more, or the factor is another one.
 */
export type ClaimOutcome = "claimed" | "used" | "overtaken";

/** Second factors, on the users' items. Every function throws AppError `unavailable` when DynamoDB is. */
export type FactorStore = ReturnType<typeof createFactorStore>;

/** Makes the store of second factors: each write is one update of the user, with a condition. */
export function createFactorStore(client: DynamoDB, usersTable: string) {
  return {
    /**
     * Uses a code up, once, if the user is still as it was read: steps only rise, and a recovery code is used by one. `by` is
     * the request that may do so again, since its answer may be lost. The image of this write tells of no earlier change.
     */
    async claim(user: User, use: OtpUse, { by, now }: { by: string; now: number }): Promise<ClaimOutcome> {
      const { userId, sessionEpoch } = user;
      const { set, change, condition, values } = createClaim(use);
      // The record of a deletion is needed when that ends.
      const changes = isBeingDeleted(user, now) ? { set: "", remove: "", values: {} } : toChanges(change);
      const { written, item } = await updateItem(
        client,
        { TableName: usersTable, Key: { userId } },
        {
          UpdateExpression: `SET ${set}${changes.set}${changes.remove}`,
          // A deletion that begins raises the epoch.
          ConditionExpression: `${condition} AND sessionEpoch = :epoch AND attribute_not_exists(disabledAt)`,
          ExpressionAttributeValues: { ":by": by, ":epoch": sessionEpoch, ...values, ...changes.values },
        },
      );
      if (written) return "claimed";
      return item && isAsRead(parseUser(item), user) ? "used" : "overtaken";
    },
  };
}

// A bracket stands first in a condition: one of our engines reads it wrongly elsewhere.
function createClaim(use: OtpUse): { set: string; condition: string; values: Item; change?: Change } {
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
    change: use.change,
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
