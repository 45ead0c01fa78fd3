import { createChange } from "../../accounts/change.ts";
import type { Directory } from "../../accounts/directory.ts";
import type { User, UserStore } from "../../accounts/store.ts";
import type { AttemptLimit } from "../../attempts/account-limit.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import type { Client, Session } from "../../sessions/session.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { assertCurrent } from "../current-user.ts";
import { type Proof, proveUser } from "../prove-user.ts";
import { createSweep } from "../sweep.ts";

interface DeleteOptions {
  users: Pick<UserStore, "find" | "beginDeletion" | "noteSwept">;
  directory: Pick<Directory, "deleteAccount">;
  sessions: Pick<SessionStore, "list" | "deleteAll" | "carry">;
  attempts: AttemptLimit;
  clock: Clock;
}

/** A deletion as it came in. */
export interface DeletionRequest extends Proof, Client {
  requestId: string;
}

/** Makes the use case that deletes the account and every session of it. */
export function createDeleteAccount({ users, directory, sessions, attempts, clock }: DeleteOptions) {
  const sweep = createSweep({ sessions, users });

  /**
   * Deletes the account. The session is known to live, and is the last to go, so that the same request can be repeated
   * where it broke off: it then goes on with an account that lets nobody in any more, or ends what is left. Throws AppError
   * `invalid_credentials`, `too_many_attempts`, `email_changed_recently`, `invalid_token`, `unavailable`.
   */
  return async function deleteAccount(caller: Session, request: DeletionRequest): Promise<void> {
    const user = await users.find(caller.userId);
    if (user) await deleteUser(user, caller, request);
    // A login may have put its session after the sweep and seen the user before the deletion.
    const left = await sessions.list(caller.userId, ["userId", "sessionId"]);
    await sessions.deleteAll(left.filter(({ sessionId }) => sessionId !== caller.sessionId));
    await sessions.deleteAll([caller]);
  };

  async function deleteUser(user: User, caller: Session, request: DeletionRequest): Promise<void> {
    if (!hasBegun(user, caller)) assertCurrent(user, caller);
    if (user.undoUntil !== undefined && user.undoUntil > clock())
      throw new AppError("email_changed_recently");
    await proveUser(attempts, user, request);
    const begun = hasBegun(user, caller) ? user : await begin(caller, request);
    const to = begun.sessionEpoch;
    // One that was ended meanwhile cannot be carried; the deletion goes on all the same.
    await sessions.carry(caller, { from: to - 1, to });
    await sweep(begun);
    await directory.deleteAccount(begun);
  }

  async function begin(caller: Session, request: DeletionRequest): Promise<User> {
    const { requestId } = request;
    const change = createChange("user_deleting", { by: "user", client: request, requestId }, clock());
    const begun = await users.beginDeletion(caller, change);
    // All sessions were ended meanwhile, or the password changed: all of it has to be looked at anew.
    if (!begun) throw new AppError("unavailable");
    return begun;
  }
}

/**
 * Answers whether an earlier request of this session has begun the deletion: nobody has been let in since, so what is left
 * are sessions of the epoch before, and one that was carried.
 */
function hasBegun({ deletingAt, disabledAt, sessionEpoch }: User, caller: Session): boolean {
  const isOfThen = [sessionEpoch - 1, sessionEpoch].includes(caller.sessionEpoch);
  return deletingAt !== undefined && disabledAt === undefined && isOfThen;
}
