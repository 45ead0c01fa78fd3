import type { User } from "../../accounts/store.ts";
import { type AccessOptions, createEnding, createOperatorChange, type Operator } from "./operator.ts";

/** Makes the use case by which an operator takes the second factor of a user away. */
export function createRemoveFactor({ operations, clock, ...stores }: AccessOptions) {
  const end = createEnding(stores);

  /** The password alone opens the account then; all sessions are over. Undefined if there is no such user. Throws AppError `unavailable`. */
  return async function removeFactor(userId: string, by: Operator): Promise<User | undefined> {
    return end(operations.removeFactor(userId, createOperatorChange("totp_removed", by, clock())));
  };
}
