import type { Directory } from "../../accounts/directory.ts";
import type { Operations } from "../../accounts/operations.ts";
import type { User, UserStore } from "../../accounts/store.ts";
import type { Clock } from "../../clock.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { createSweep } from "../sweep.ts";
import { createOperatorChange, type Operator } from "./operator.ts";

interface DeleteUserOptions {
  users: Pick<UserStore, "noteSwept">;
  operations: Pick<Operations, "beginDeletion">;
  directory: Pick<Directory, "deleteAccount">;
  sessions: Pick<SessionStore, "list" | "deleteAll">;
  clock: Clock;
}

/** Makes the use case by which an operator deletes an account. */
export function createDeleteUser({ users, operations, directory, sessions, clock }: DeleteUserOptions) {
  const sweep = createSweep({ sessions, users });

  /**
   * Deletes the account with its sessions, as its owner could; also while a change of its address can be undone. May be done
   * again where it broke off, by the user id. Undefined if there is no such user. Throws AppError `unavailable`.
   */
  return async function deleteUser(userId: string, by: Operator): Promise<User | undefined> {
    const begun = await operations.beginDeletion(userId, createOperatorChange("user_deleting", by, clock()));
    if (begun) {
      await sweep(begun);
      await directory.deleteAccount(begun, clock());
    }
    // A login may have put its session after the sweep and seen the user before the deletion.
    await sessions.deleteAll(await sessions.list(userId, ["userId", "sessionId"]));
    return begun;
  };
}
