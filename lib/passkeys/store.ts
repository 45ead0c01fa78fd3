import type { Change } from "../accounts/change.ts";
import { isBeingDeleted } from "../accounts/is-disabled.ts";
import { type Caller, isCallers, parseUser, type User, valuesOfCaller } from "../accounts/store.ts";
import { type DynamoDB, type Item, type UpdateExpression, updateItem } from "../dynamodb.ts";
import type { Amr } from "../sessions/amr.ts";
import type { PasskeyState } from "./ceremony.ts";
import { maxPasskeys, type Passkey } from "./passkey.ts";

/** The passkeys in the items of users. Every function throws AppError `unavailable` when DynamoDB is. */
export type PasskeyStore = ReturnType<typeof createPasskeyStore>;

/** What a conditional write did: the user after it, or as it refused it; undefined where there is none. */
export interface PasskeyWrite {
  isWritten: boolean;
  user: User | undefined;
}

const named = (passkeyId: string) => ({ "#id": passkeyId });

/** Makes the write of a passkey of a user. */
function createWrite(client: DynamoDB, usersTable: string) {
  return async function write(userId: string, update: UpdateExpression): Promise<PasskeyWrite> {
    const address = { TableName: usersTable, Key: { userId } };
    const { written, item } = await updateItem(client, address, update);
    return { isWritten: written, user: item && parseUser(item) };
  };
}

/** Makes the store of passkeys; users are read by their own store. */
export function createPasskeyStore(client: DynamoDB, usersTable: string) {
  const writeAny = createWrite(client, usersTable);
  const write = (caller: Caller, now: number, update: UpdateExpression): Promise<PasskeyWrite> =>
    writeAny(caller.userId, {
      ...update,
      ConditionExpression: `${isCallers} AND ${update.ConditionExpression}`,
      ExpressionAttributeValues: { ...update.ExpressionAttributeValues, ...valuesOfCaller(caller, now) },
    });

  return {
    /** Adds a passkey to those of a user, or the first one, if there are not too many and it is not there yet. */
    add(user: User, passkeyId: string, passkey: Passkey, change: Change): Promise<PasskeyWrite> {
      const add: [expression: string, condition: string, values: Item] = user.passkeys
        ? [
            "passkeys.#id = :passkey",
            "attribute_not_exists(passkeys.#id) AND size(passkeys) < :max",
            { ":passkey": passkey, ":max": maxPasskeys },
          ]
        : [
            "passkeys = :passkeys",
            "attribute_not_exists(passkeys)",
            { ":passkeys": { [passkeyId]: passkey } },
          ];
      const [set, condition, values] = add;
      return write(user, change.at, {
        UpdateExpression: `SET ${set}, lastChange = :change`,
        ConditionExpression: condition,
        ...(user.passkeys && { ExpressionAttributeNames: named(passkeyId) }),
        ExpressionAttributeValues: { ...values, ":change": change },
      });
    },

    /** Calls a passkey by another name, if it is there. */
    rename(caller: Caller, passkeyId: string, name: string, now: number): Promise<PasskeyWrite> {
      return write(caller, now, {
        UpdateExpression: "SET passkeys.#id.#name = :name",
        ConditionExpression: "attribute_exists(passkeys.#id)",
        ExpressionAttributeNames: { ...named(passkeyId), "#name": "name" },
        ExpressionAttributeValues: { ":name": name },
      });
    },

    /**
     * Removes a passkey, if it is there and not the last thing that opens the account – on the strength of one factor only if
     * the account has no second one.
     */
    remove(caller: Caller & { amr?: Amr }, passkeyId: string, change: Change): Promise<PasskeyWrite> {
      return write(caller, change.at, {
        UpdateExpression: "REMOVE passkeys.#id SET lastChange = :change",
        ConditionExpression:
          `attribute_exists(passkeys.#id) AND ${caller.amr ? "" : "attribute_not_exists(totp) AND "}` +
          "(attribute_exists(passwordHash) OR size(identityIds) > :none OR size(passkeys) > :one)",
        ExpressionAttributeNames: named(passkeyId),
        ExpressionAttributeValues: { ":change": change, ":none": 0, ":one": 1 },
      });
    },
  };
}

/** Makes the note that a passkey was used: in the bundle of a login it stands alone. */
export function createClaimPasskey(client: DynamoDB, usersTable: string) {
  const write = createWrite(client, usersTable);

  /**
   * Notes the use of a passkey, if it is still there with this key, its challenge is later than that of every use
   * before, and the user's sessions were not all ended since it was read. The same use is noted again.
   */
  return function claimPasskey(user: User, use: PasskeyUse, now: number): Promise<PasskeyWrite> {
    const { passkeyId, publicKey, challengedAt, usedBy, state } = use;
    const at = "passkeys.#id";
    // The record of a deletion is needed when that ends.
    const told = isBeingDeleted(user, now) ? "" : " REMOVE lastChange";
    return write(user.userId, {
      UpdateExpression:
        `SET ${at}.challengedAt = :at, ${at}.usedBy = :by, ${at}.lastUsedAt = :now, ${at}.signCount = :count, ` +
        `${at}.isBackedUp = :isBackedUp, ${at}.isBackupEligible = :isEligible${told}`,
      // A deletion that begins raises the epoch.
      ConditionExpression:
        `sessionEpoch = :epoch AND attribute_not_exists(disabledAt) AND ${at}.publicKey = :key AND (attribute_not_exists(${at}.challengedAt) OR ${at}.challengedAt < :at ` +
        `OR (${at}.challengedAt = :at AND ${at}.usedBy = :by))`,
      ExpressionAttributeNames: named(passkeyId),
      ExpressionAttributeValues: {
        ...{
          ":at": challengedAt,
          ":by": usedBy,
          ":now": now,
          ":key": publicKey,
          ":epoch": user.sessionEpoch,
          ":count": state.signCount,
        },
        ...{ ":isBackedUp": state.isBackedUp, ":isEligible": state.isBackupEligible },
      },
    });
  };
}

/** Uses up a challenge. */
export type ClaimPasskey = ReturnType<typeof createClaimPasskey>;

/** A use of a passkey. */
export interface PasskeyUse {
  passkeyId: string;
  publicKey: string;
  /** Epoch milliseconds. */
  challengedAt: number;
  /** Which use it is: its repeat has the same name. */
  usedBy: string;
  state: PasskeyState;
}
