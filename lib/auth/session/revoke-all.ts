import type { User, UserStore } from "../../accounts/store.ts";
import { AppError } from "../../errors.ts";
import type { Session } from "../../sessions/session.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { createSweep } from "../sweep.ts";

interface EndAllOptions {
  sessions: Pick<SessionStore, "list" | "deleteAll" | "carry">;
  users: Pick<UserStore, "find" | "raiseSessionEpoch" | "noteSwept">;
}

/** Makes the use cases "log out everywhere" and "log out everywhere else". */
export function createEndAllSessions({ sessions, users }: EndAllOptions) {
  const sweep = createSweep({ sessions, users });

  return {
    /**
     * Ends every session of the caller's user. When it returns no refresh of them succeeds, nor does a login that was
     * under way. Throws AppError `unavailable`; done again, it ends the rest. Throws AppError `invalid_token` where the
     * caller's session had been ended already, and others go on: it may not end those.
     */
    async endAll(caller: Session): Promise<void> {
      const raised = await users.raiseSessionEpoch(caller);
      if (raised) await sweep(raised, caller);
      else if ((await finishEarlierSweep(caller)).isAnyLeft) throw new AppError("invalid_token", overtaken);
    },

    /**
     * Ends every session but the caller's, which goes on in the raised epoch, and gives the user. Throws AppError
     * `invalid_token` if the caller's was ended meanwhile, `unavailable`: then it may have been ended, too.
     */
    async endOthers(caller: Session): Promise<User> {
      const raised = await users.raiseSessionEpoch(caller);
      if (!raised) {
        await finishEarlierSweep(caller);
        throw new AppError("invalid_token", overtaken);
      }
      const to = raised.sessionEpoch;
      const isCarried = await sessions.carry(caller, { from: caller.sessionEpoch, to });
      await sweep(raised);
      if (!isCarried) throw new AppError("invalid_token", { reason: "session gone" });
      return raised;
    },
  };

  async function finishEarlierSweep(caller: Session): Promise<{ isAnyLeft: boolean }> {
    const user = await users.find(caller.email);
    if (user?.userId === caller.userId) return sweep(user, caller);
    // The account is gone; so should be its sessions.
    await sessions.deleteAll(await sessions.list(caller.userId, ["userId", "sessionId"]));
    return { isAnyLeft: false };
  }
}

const overtaken = { reason: "session of an earlier epoch" } as const;
