import type { UserKey, UserStore } from "../../accounts/store.ts";
import type { AttemptLimit } from "../../attempts/account-limit.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import type { SessionKey, SessionStore } from "../../sessions/store.ts";
import { proveUser } from "../prove-user.ts";
import { createEndAllSessions } from "../session/revoke-all.ts";

interface DeleteOptions {
  users: Pick<UserStore, "find" | "raiseSessionEpoch" | "noteSwept" | "delete">;
  sessions: Pick<SessionStore, "list" | "deleteAll" | "find">;
  attempts: AttemptLimit;
  clock: Clock;
}

/** Makes the use case that deletes the account and every session of it. */
export function createDeleteAccount({ users, sessions, attempts, clock }: DeleteOptions) {
  const endAllSessions = createEndAllSessions({ sessions, users, clock });

  /**
   * Deletes the account. The session is known to live, and is the last to go, so that the same request can be repeated
   * where it broke off: it then finds no user, or ends what is left. Throws AppError `invalid_credentials`,
   * `too_many_attempts`, `unavailable`.
   */
  return async function deleteAccount(
    caller: SessionKey & UserKey,
    proof: { password: string; device: string | undefined },
  ): Promise<void> {
    const user = await proveUser({ users, attempts }, caller, proof);
    if (user) {
      await endAllSessions(user, caller);
      if (!(await users.delete(user, user.passwordHash))) throw new AppError("unavailable");
    }
    // A login may have put its session after the sweep and seen the user before the deletion.
    const left = await sessions.list(caller.userId, ["userId", "sessionId"]);
    await sessions.deleteAll(left.filter(({ sessionId }) => sessionId !== caller.sessionId));
    await sessions.deleteAll([caller]);
  };
}
