import type { User } from "../../accounts/store.ts";
import { type AccessOptions, createEnding, createOperatorChange, type Operator } from "./operator.ts";

/** Makes the use case by which an operator lets a user in no more. */
export function createDisableUser({ operations, clock, ...stores }: AccessOptions) {
  const end = createEnding(stores);

  /** Lets the user in no more, and ends all sessions. Undefined if there is no such user. Throws AppError `unavailable`. */
  return async function disableUser(userId: string, by: Operator): Promise<User | undefined> {
    return end(operations.disable(userId, createOperatorChange("user_archived", by, clock())));
  };
}
