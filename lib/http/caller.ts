import type { SessionKey } from "../sessions/store.ts";
import type { AccessClaims } from "../tokens/verify-access-token.ts";

/** The caller's session and e-mail address, in the words of the tables. */
export function toCaller({ sub, sid, email }: AccessClaims): SessionKey & { email: string } {
  return { userId: sub, sessionId: sid, email };
}
