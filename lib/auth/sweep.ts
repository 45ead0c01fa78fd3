import type { User, UserStore } from "../accounts/store.ts";
import type { SessionStore } from "../sessions/store.ts";

/**
 * Makes the sweep: deletes every session of an epoch before the user's, but the one that the raise kept, and notes
 * that it is done. Where it broke off, the next login or password change does it again. Throws AppError `unavailable`.
 */
export function createSweep({ sessions, users }: SweepOptions) {
  return async function sweep(user: User): Promise<void> {
    const all = await sessions.list(user.userId, ["userId", "sessionId", "sessionEpoch"]);
    const goesOn = ({ sessionEpoch, sessionId }: (typeof all)[number]) =>
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
