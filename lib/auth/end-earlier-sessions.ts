import type { SessionAddress, SessionStore } from "../sessions/store.ts";
import { settleAll } from "../settle-all.ts";
import type { VerifyExpiredToken } from "../tokens/verify-access-token.ts";
import { createFindGenuineSessions, type PresentedToken } from "./genuine-sessions.ts";

interface EndEarlierOptions {
  sessions: Pick<SessionStore, "delete">;
  verifyExpiredToken: VerifyExpiredToken;
  /** Told of a session that may still live; the login stands. */
  noteFailure: (error: unknown) => void;
}

/** However many pairs come: a browser has one, and one that a changed setting left. */
const maxSessions = 3;

/** Ends what a browser had before its login. */
export type EndEarlierSessions = ReturnType<typeof createEndEarlierSessions>;

/**
 * Makes the rule "one browser, one session": whoever copied a cookie does not live on beside a victim who simply logged in
 * again.
 */
export function createEndEarlierSessions({ sessions, verifyExpiredToken, noteFailure }: EndEarlierOptions) {
  const findGenuineSessions = createFindGenuineSessions({
    verifyExpiredToken,
    takesLiveTokens: false,
    maxSessions,
  });

  /**
   * Ends the sessions of the genuine pairs among those presented, three at most, whoever's they are, and the one of a
   * device. Never throws.
   */
  return async function endEarlierSessions(
    presented: PresentedToken[],
    device: SessionAddress | undefined,
  ): Promise<void> {
    try {
      const earlier = await findGenuineSessions(presented);
      const isPresented = earlier.some(({ sessionId }) => sessionId === device?.sessionId);
      if (device && !isPresented) earlier.push({ userId: device.userId, sessionId: device.sessionId });
      await settleAll(earlier.map((session) => sessions.delete(session)));
    } catch (error) {
      noteFailure(error);
    }
  };
}
