import type { UserStore } from "../../accounts/store.ts";
import type { AttemptLimit } from "../../attempts/account-limit.ts";
import { AppError } from "../../errors.ts";
import type { Session } from "../../sessions/session.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { proveUser } from "../prove-user.ts";
import { createEndAllSessions } from "../session/revoke-all.ts";

interface DeleteOptions {
  users: Pick<UserStore, "find" | "raiseSessionEpoch" | "noteSwept" | "delete">;
  sessions: Pick<SessionStore, "list" | "deleteAll" | "carry">;
  attempts: AttemptLimit;
}

/** Makes the use case that deletes the account and every session of it. */
export function createDeleteAccount({ users, sessions, attempts }: DeleteOptions) {
  const { endOthers } = createEndAllSessions({ sessions, users });

  /**
   * Deletes the account. The session is known to live, and is the last to go, so that the same request can be repeated
   * where it broke off: it then finds no user, or ends what is left. Throws AppError `invalid_credentials`,
   * `too_many_attempts`, `invalid_token`, `unavailable`.
   */
  return async function deleteAccount(
    caller: Session,
    proof: { password: string; device: string | undefined },
  ): Promise<void> {
    const user = await proveUser({ users, attempts }, caller, proof);
    if (user) {
      const { sessionEpoch } = await endOthers(caller);
      if (!(await users.delete({ ...caller, sessionEpoch }, user.passwordHash)))
        throw new AppError("unavailable");
    }
    // A login may have put its session after the sweep and seen the user before the deletion.
    const left = await sessions.list(caller.userId, ["userId", "sessionId"]);
    await sessions.deleteAll(left.filter(({ sessionId }) => sessionId !== caller.sessionId));
    await sessions.deleteAll([caller]);
  };
}
