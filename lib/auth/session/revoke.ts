import * as v from "valibot";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import type { Session } from "../../sessions/session.ts";
import { isSessionId, type SessionStore } from "../../sessions/store.ts";

interface RevokeOptions {
  sessions: Pick<SessionStore, "end">;
  clock: Clock;
  sessionsNotBefore: number;
}

/** Makes the use case that ends one session of a user. */
export function createRevokeSession({ sessions, clock, sessionsNotBefore }: RevokeOptions) {
  /**
   * The caller's session is known to live. Throws AppError `not_found` where the user has no such live session,
   * `invalid_token` where that one is of a later epoch than the caller's, which is over then, `unavailable`.
   */
  return async function revokeSession(caller: Session, sessionId: unknown): Promise<void> {
    // The partition is the caller's own: somebody else's session is as unknown as none.
    const { userId, sessionEpoch } = caller;
    const result = isSessionId(sessionId) && (await sessions.end({ userId, sessionId }, sessionEpoch));
    if (result && result.is === "newer")
      throw new AppError("invalid_token", { reason: "session of an earlier epoch" });
    // One that is damaged is ended, too.
    const tooEarly = v.pipe(v.number(), v.ltValue(sessionsNotBefore));
    const isOver = (item: unknown) =>
      v.is(v.object({ expiresAt: v.pipe(v.number(), v.maxValue(clock())) }), item) ||
      v.is(v.object({ createdAt: tooEarly }), item) ||
      v.is(v.object({ authenticatedAt: tooEarly }), item);
    if (!result || result.is === "none" || isOver(result.item))
      throw new AppError("not_found", { detail: "You have no such session." });
  };
}
