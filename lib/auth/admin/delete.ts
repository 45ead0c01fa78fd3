import type { Directory } from "../../accounts/directory.ts";
import type { Operations } from "../../accounts/operations.ts";
import type { User, UserStore } from "../../accounts/store.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
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

/** Others can change the account between our beginning and our end. */
const maxLooks = 3;

/** Makes the use case by which an operator deletes an account. */
export function createDeleteUser({ users, operations, directory, sessions, clock }: DeleteUserOptions) {
  const sweep = createSweep({ sessions, users });

  /**
   * Deletes the account with its sessions, as its owner could; also while a change of its address can be undone. May be done
   * again where it broke off, by the user id. Undefined if there is no such user. Throws AppError `unavailable`.
   */
  return async function deleteUser(userId: string, by: Operator): Promise<User | undefined> {
    const begin = () => operations.beginDeletion(userId, createOperatorChange("user_deleting", by, clock()));
    const begun = await begin();
    let user = begun;
    for (let look = 1; user; look++) {
      if (look > maxLooks) throw new AppError("unavailable");
      await sweep(user);
      const latest = await directory.deleteAccount(user, clock());
      // What another has begun is finished here, too; after any other change there is no beginning to tell the end by.
      user = latest?.lastChange?.event === "user_deleting" ? latest : latest && (await begin());
    }
    // A login may have put its session after the sweep and seen the user before the deletion.
    await sessions.deleteAll(await sessions.list(userId, ["userId", "sessionId"]));
    return begun;
  };
}
