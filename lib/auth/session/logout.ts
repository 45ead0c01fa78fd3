import type { SessionAddress, SessionStore } from "../../sessions/store.ts";
import { settleAll } from "../../settle-all.ts";
import type { VerifyExpiredToken } from "../../tokens/verify-access-token.ts";
import { createFindGenuineSessions, type PresentedToken } from "../genuine-sessions.ts";

interface LogoutOptions {
  sessions: Pick<SessionStore, "delete">;
  verifyExpiredToken: VerifyExpiredToken;
}

/** Makes the use case that ends a session. */
export function createLogout({ sessions, verifyExpiredToken }: LogoutOptions) {
  const findGenuineSessions = createFindGenuineSessions({ verifyExpiredToken, takesLiveTokens: true });

  /**
   * Ends the session of every genuine pair, whose token may have expired, or of a live token, and tells which these are,
   * whether or not they were ended before. The size of a request's headers bounds their number.
   * Does nothing for other credentials. Throws AppError `unavailable`: then a session may still live.
   */
  return async function logout(presented: PresentedToken[]): Promise<SessionAddress[]> {
    const genuine = await findGenuineSessions(presented);
    await settleAll(genuine.map((session) => sessions.delete(session)));
    return genuine;
  };
}
