import { createChange } from "../../accounts/change.ts";
import type { Directory } from "../../accounts/directory.ts";
import type { EndOthers } from "../../accounts/end-others.ts";
import { isBeingDeleted } from "../../accounts/is-disabled.ts";
import { assertNotUndoable, hasNoPassword, type User, type UserStore } from "../../accounts/store.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import type { Session } from "../../sessions/session.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { assertCurrent } from "../current-user.ts";
import type { Proof, Proven, ProveUser } from "../prove-user.ts";
import { createSweep } from "../sweep.ts";

interface DeleteOptions {
  users: Pick<UserStore, "find" | "noteSwept">;
  endOthers: EndOthers;
  directory: Pick<Directory, "deleteAccount">;
  sessions: Pick<SessionStore, "find" | "list" | "deleteAll">;
  proveUser: ProveUser;
  clock: Clock;
}

/** A deletion as it came in. */
export interface DeletionRequest extends Proof {}

/** Makes the use case that deletes the account and every session of it. */
export function createDeleteAccount(options: DeleteOptions) {
  const { users, endOthers, directory, sessions, proveUser, clock } = options;
  const sweep = createSweep({ sessions, users });

  /**
   * Deletes the account. The session is known to live, and is the last to go, so that the same request can be repeated
   * where it broke off: it then goes on with an account that lets nobody in, or ends what is left. Throws what `proveUser`
   * throws, AppError `email_changed_recently`, `invalid_token`, `unavailable`.
   */
  return async function deleteAccount(caller: Session, request: DeletionRequest): Promise<void> {
    // Whoever else deletes the account, or changes it meanwhile: all of it is looked at anew, once.
    const isGone = (await tryToDelete(caller, request)) || (await tryToDelete(caller, request));
    if (!isGone) throw new AppError("unavailable");
    // A login may have put its session after the sweep and seen the user before the deletion.
    const left = await sessions.list(caller.userId, ["userId", "sessionId"]);
    await sessions.deleteAll(left.filter(({ sessionId }) => sessionId !== caller.sessionId));
    await sessions.deleteAll([caller]);
  };

  /** False where the account, or the caller's session, was changed meanwhile. */
  async function tryToDelete(caller: Session, request: DeletionRequest): Promise<boolean> {
    const user = await users.find(caller.userId);
    if (!user) return true;
    const hasBegun = await isBegun(user, caller);
    const now = clock();
    if (!hasBegun) assertCurrent(user, caller, now);
    assertNotUndoable(user, now);
    // What a recent login has begun it may end later: nobody logs in meanwhile.
    const proven = await proveUser(user, caller, request, hasBegun ? user.deletingAt : now);
    const sessionEpoch = hasBegun ? user.sessionEpoch : await begin(caller, request, proven);
    if (sessionEpoch === undefined) return false;
    const begun = { ...user, sessionEpoch };
    await sweep(begun);
    return (await directory.deleteAccount(begun, clock())) === undefined;
  }

  /** Answers whether an earlier request of this session has begun the deletion: nobody has been let in since. */
  async function isBegun(user: User, caller: Session): Promise<boolean> {
    if (!isBeingDeleted(user, clock()) || user.disabledAt !== undefined) return false;
    // It carried the session, perhaps only after that was read.
    return [caller, await sessions.find(caller)].some((read) => read?.sessionEpoch === user.sessionEpoch);
  }

  /**
   * Gives the epoch in which the caller's session goes on until all is deleted; undefined where that was ended meanwhile, or the
   * account is not as it was proven.
   */
  async function begin(
    caller: Session,
    request: DeletionRequest,
    { amr, replaced }: Proven,
  ): Promise<number | undefined> {
    const { requestId } = request;
    const now = clock();
    const change = createChange("user_deleting", { by: "user", client: request, requestId }, now);
    const condition = replaced ? hasNoPassword(amr) : "";
    const more = { set: ", deletingAt = :at", condition, values: { ":at": now } };
    return endOthers(caller, change, more);
  }
}
