import { AppError } from "../errors.ts";
import { authTimeOf } from "./auth-time.ts";
import type { Session } from "./session.ts";
import type { SessionAddress, SessionStore } from "./store.ts";

/** Whoever changes something that a copied session must not change has signed in at most so long ago. */
const freshSeconds = 300;

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

/** Throws AppError `insufficient_user_authentication` (RFC 9470) if the user signed in more than 300 s ago. */
export function assertFresh(session: Session, now: number): void {
  if (now - authTimeOf(session) <= freshSeconds) return;
  const challenge = `Bearer error="insufficient_user_authentication", max_age="${freshSeconds}"`;
  throw new AppError("insufficient_user_authentication", { headers: { "www-authenticate": challenge } });
}
