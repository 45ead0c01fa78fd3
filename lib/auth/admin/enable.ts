import type { User } from "../../accounts/store.ts";
import { type AccessOptions, createEnding, createOperatorChange, type Operator } from "./operator.ts";

/** Makes the use case by which an operator lets a user in again. */
export function createEnableUser({ operations, clock, ...stores }: AccessOptions) {
  const end = createEnding(stores);

  /** Lets the user in again; a deletion that has begun is off. Undefined if there is no such user. Throws AppError `unavailable`. */
  return async function enableUser(userId: string, by: Operator): Promise<User | undefined> {
    return end(operations.enable(userId, createOperatorChange("user_updated", by, clock())));
  };
}
