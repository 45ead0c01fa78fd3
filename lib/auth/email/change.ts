import { assertNotUndoable, type UserStore } from "../../accounts/store.ts";
import type { SourceLimit } from "../../attempts/source-limit.ts";
import type { Clock } from "../../clock.ts";
import { invalidPassword } from "../../factors/password-policy.ts";
import { authTimeOf } from "../../sessions/auth-time.ts";
import { assertFresh, freshSeconds } from "../../sessions/fresh.ts";
import type { Session } from "../../sessions/session.ts";
import type { Ask, Asked, Asker } from "../ask.ts";
import { getCurrentUser } from "../current-user.ts";
import type { Proof, ProveUser } from "../prove-user.ts";

interface AskEmailChangeOptions {
  users: Pick<UserStore, "find">;
  proveUser: ProveUser;
  sources: SourceLimit;
  ask: Ask;
  clock: Clock;
}

/** A wish for another address as it came in; the address is normalised. */
export interface EmailChange extends Asker, Omit<Proof, "password" | keyof Asker> {
  newEmail: string;
  /** Of an account that has one. */
  password: string | undefined;
}

/** Makes the use case that asks for a code at a new address, or at the account's own, to prove it. */
export function createAskEmailChange({ users, proveUser, sources, ask, clock }: AskEmailChangeOptions) {
  /**
   * Mails a code to the new address: it counts in the caller's session alone. Whether the address is taken is not looked at.
   * Throws AppError `email_changed_recently`, `invalid_body`, `invalid_credentials`, `second_factor_required`, `invalid_otp`,
   * `too_many_attempts`, `insufficient_user_authentication` where the account has no password, `too_many_requests`, `invalid_token`, `unavailable`.
   */
  return async function askEmailChange(caller: Session, change: EmailChange): Promise<Asked> {
    const { newEmail, password } = change;
    const now = clock();
    const user = await getCurrentUser(users, caller, now);
    assertNotUndoable(user, now);
    await sources.count(change.ip);
    if (user.passwordHash === undefined) assertFresh(authTimeOf(caller), freshSeconds, now);
    else if (password === undefined) throw invalidPassword("#/password", "is missing");
    else await proveUser(user, caller, { ...change, password });
    const { userId, sessionId } = caller;
    return ask({ kind: "email", email: newEmail, userId, sessionId, fromEmail: user.email }, change);
  };
}
