import type { User } from "../../accounts/store.ts";
import { AppError } from "../../errors.ts";
import { isSweepDue } from "../sweep.ts";
import { type AccessOptions, createEnding, createOperatorChange, type Operator } from "./operator.ts";

/** Makes the use case by which an operator takes the second factor of a user away. */
export function createRemoveFactor({ users, operations, clock, ...stores }: AccessOptions) {
  const end = createEnding({ users, ...stores });

  /**
   * The password alone opens the account then; all sessions are over. Undefined if there is no such user. Throws AppError
   * `totp_not_enabled` where there is nothing to take away, nor to finish; `unavailable`.
   */
  return async function removeFactor(userId: string, by: Operator): Promise<User | undefined> {
    const user = await users.find(userId);
    if (user && !user.totp && !isSweepDue(user))
      throw new AppError("totp_not_enabled", {
        detail: "The account has no second factor. Nothing was changed.",
      });
    return end(operations.removeFactor(userId, createOperatorChange("totp_removed", by, clock())));
  };
}
