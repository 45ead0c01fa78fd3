import type { User, UserKey, UserStore } from "../../accounts/store.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import type { SessionKey, SessionStore } from "../../sessions/store.ts";

/**
 * Makes the sweep: deletes every session of an epoch before the user's, but the one that the raise kept, and notes
 * that it is done. Where it broke off, the next login or password change does it again. Throws AppError `unavailable`.
 */
export function createSweep({ sessions, users }: SweepOptions) {
  return async function sweep(user: User): Promise<void> {
    const all = await sessions.list(user.userId, ["userId", "sessionId", "sessionEpoch"]);
    const goesOn = ({ sessionEpoch = 0, sessionId }: (typeof all)[number]) =>
      sessionEpoch >= user.sessionEpoch || sessionId === user.keptSessionId;
    await sessions.deleteAll(all.filter((session) => !goesOn(session)));
    await users.noteSwept(user, user.sessionEpoch);
  };
}

interface SweepOptions {
  sessions: Pick<SessionStore, "list" | "deleteAll">;
  users: Pick<UserStore, "noteSwept">;
}

/** Answers whether the ending of all sessions was begun and not finished. */
export function isSweepDue({ sweptEpoch, sessionEpoch }: User): boolean {
  return sweptEpoch < sessionEpoch;
}

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
