import type { Amr } from "../sessions/amr.ts";
import type { TransactItem } from "../transaction.ts";
import type { MoreOfRaise } from "./store.ts";

/** The parts of the transaction that takes an identity from its user. */
export type IdentityRemoval = ReturnType<typeof createIdentityRemoval>;

/** Makes what a transaction has for the end of an identity, beside the raise of its user's epoch (`end-others.ts`). */
export function createIdentityRemoval(identitiesTable: string) {
  /**
   * Takes the identity from the user, if it is there and not the last thing that opens the account – on the strength of one factor
   * only if the account has no second one –, and its entry out of the index.
   */
  return function removeIdentity(
    { userId, amr }: { userId: string; amr?: Amr },
    identity: string,
  ): { more: MoreOfRaise; others: TransactItem[] } {
    const more: MoreOfRaise = {
      set: " DELETE identityIds :ids",
      condition:
        ` AND contains(identityIds, :identity)${amr ? "" : " AND attribute_not_exists(totp)"}` +
        " AND (attribute_exists(passwordHash) OR size(passkeys) > :none OR size(identityIds) > :last)",
      values: { ":ids": new Set([identity]), ":identity": identity, ":none": 0, ":last": 1 },
    };
    const entry: TransactItem = {
      Delete: {
        TableName: identitiesTable,
        Key: { identity },
        ConditionExpression: "attribute_not_exists(userId) OR userId = :userId",
        ExpressionAttributeValues: { ":userId": userId },
      },
    };
    return { more, others: [entry] };
  };
}
