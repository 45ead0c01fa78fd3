import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import { isSessionId, type SessionStore } from "../../sessions/store.ts";

interface RevokeOptions {
  sessions: Pick<SessionStore, "end">;
  clock: Clock;
}

/** Makes the use case that ends one session of a user. */
export function createRevokeSession({ sessions, clock }: RevokeOptions) {
  /** Throws AppError `not_found` where the user has no such live session, `unavailable`. */
  return async function revokeSession(userId: string, sessionId: unknown): Promise<void> {
    // The partition is the caller's own: somebody else's session is as unknown as none.
    const isEnded = isSessionId(sessionId) && (await sessions.end({ userId, sessionId }, clock()));
    if (!isEnded) throw new AppError("not_found", { detail: "You have no such session." });
  };
}
