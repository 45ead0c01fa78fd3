import type { Change } from "../../accounts/change.ts";
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
     * under way. Throws AppError `unavailable`; done again, it ends the rest, and throws AppError `invalid_token`, as
     * wherever the caller's session had been ended already: others may be opened meanwhile, and it may not end those.
     */
    async endAll(caller: Session, change: Change): Promise<void> {
      const raised = await users.raiseSessionEpoch(caller, change);
      if (raised) return sweep(raised, caller);
      if (await finishEarlierSweep(caller)) throw new AppError("invalid_token", overtaken);
    },

    /**
     * Ends every session but the caller's, which goes on in the raised epoch, and gives the user. Throws AppError
     * `invalid_token` if the caller's was ended meanwhile, `unavailable`: then it may have been ended, too.
     */
    async endOthers(caller: Session, change: Change): Promise<User> {
      const raised = await users.raiseSessionEpoch(caller, change);
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

  /** Answers whether there is a user still. */
  async function finishEarlierSweep(caller: Session): Promise<boolean> {
    const user = await users.find(caller.userId);
    if (user) {
      await sweep(user, caller);
      return true;
    }
    // The account is gone; so should be its sessions.
    await sessions.deleteAll(await sessions.list(caller.userId, ["userId", "sessionId"]));
    return false;
  }
}

const overtaken = { reason: "session of an earlier epoch" } as const;
