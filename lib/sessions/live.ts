import { AppError } from "../errors.ts";
import type { Session } from "./session.ts";
import type { SessionAddress, SessionStore } from "./store.ts";

/**
 * Reads the session of an access token, strongly consistent: a token outlives its session. Throws AppError
 * `invalid_token` if it is over, `unavailable`.
 */
export async function getLiveSession(
  sessions: Pick<SessionStore, "find">,
  key: SessionAddress,
  now: number,
): Promise<Session> {
  const session = await sessions.find(key);
  if (session && session.expiresAt > now) return session;
  throw new AppError("invalid_token", { reason: session ? "session expired" : "session gone" });
}
