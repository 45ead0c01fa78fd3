import type { User } from "../../accounts/store.ts";
import { type AccessOptions, createEnding, createOperatorChange, type Operator } from "./operator.ts";

/** Makes the use case by which an operator ends the sessions of a user. */
export function createEndSessions({ operations, clock, ...stores }: AccessOptions) {
  const end = createEnding(stores);

  /** Ends all sessions, and logins under way. Undefined if there is no such user. Throws AppError `unavailable`. */
  return async function endSessions(userId: string, by: Operator): Promise<User | undefined> {
    return end(operations.endSessions(userId, createOperatorChange("authn_token_revoked", by, clock())));
  };
}
