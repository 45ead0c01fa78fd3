import type { UserKey, UserStore } from "../../accounts/store.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import type { SessionKey, SessionStore } from "../../sessions/store.ts";
import { createSweep } from "../sweep.ts";

interface EndAllOptions {
  sessions: Pick<SessionStore, "list" | "deleteAll" | "find">;
  users: Pick<UserStore, "find" | "raiseSessionEpoch" | "noteSwept">;
  clock: Clock;
}

/** Makes the use case "log out everywhere". */
export function createEndAllSessions({ sessions, users, clock }: EndAllOptions) {
  const sweep = createSweep({ sessions, users });

  /**
   * Ends every session of the user, but one if it is to be kept. When it returns no refresh of the others succeeds,
   * nor does a login that was under way. Throws AppError `unavailable`; done again, it ends the rest.
   */
  return async function endAllSessions(user: UserKey, kept?: SessionKey): Promise<void> {
    const raised = await users.raiseSessionEpoch(user, kept?.sessionId);
    if (raised) return sweep(raised);
    await finishEarlierSweep(user);
    if (!kept) return;
    // The kept session may itself have been one of those that the earlier sweep ended.
    const session = await sessions.find(kept);
    if (!session || session.expiresAt <= clock())
      throw new AppError("invalid_token", { reason: session ? "session expired" : "session gone" });
    const raisedNow = await users.raiseSessionEpoch(user, kept.sessionId);
    if (!raisedNow) throw new AppError("unavailable");
    await sweep(raisedNow);
  };

  async function finishEarlierSweep({ email, userId }: UserKey): Promise<void> {
    const user = await users.find(email);
    if (user?.userId === userId) return sweep(user);
    // The account is gone; so should be its sessions.
    await sessions.deleteAll(await sessions.list(userId, ["userId", "sessionId"]));
  }
}
