import type { User, UserStore } from "../accounts/store.ts";
import type { SessionAddress, SessionStore } from "../sessions/store.ts";

/**
 * Makes the sweep: deletes every session of an epoch before the user's, and notes that it is done. Where it broke off, the
 * next login or change of password does it again. Throws AppError `unavailable`.
 */
export function createSweep({ sessions, users }: SweepOptions) {
  /**
   * Ends the session `last`, if it is one of them, after all others: its owner can ask again if that breaks off.
   */
  return async function sweep(
    user: Pick<User, "userId" | "sessionEpoch">,
    last?: SessionAddress,
  ): Promise<void> {
    const all = await sessions.list(user.userId, ["userId", "sessionId", "sessionEpoch"]);
    const ended = all.filter(({ sessionEpoch }) => sessionEpoch < user.sessionEpoch);
    await sessions.deleteAll(ended.filter(({ sessionId }) => sessionId !== last?.sessionId));
    await sessions.deleteAll(ended.filter(({ sessionId }) => sessionId === last?.sessionId));
    await users.noteSwept(user.userId, user.sessionEpoch);
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
