import { assertNotUndoable, type UserStore } from "../../accounts/store.ts";
import type { SourceLimit } from "../../attempts/source-limit.ts";
import type { Clock } from "../../clock.ts";
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
export interface EmailChange extends Asker, Omit<Proof, keyof Asker> {
  newEmail: string;
}

/** Makes the use case that asks for a code at a new address, or at the account's own, to prove it. */
export function createAskEmailChange({ users, proveUser, sources, ask, clock }: AskEmailChangeOptions) {
  /**
   * Mails a code to the new address: it counts in the caller's session alone. Whether the address is taken is not looked at.
   * Throws what `proveUser` throws, AppError `email_changed_recently`, `too_many_requests`, `invalid_token`, `unavailable`.
   */
  return async function askEmailChange(caller: Session, change: EmailChange): Promise<Asked> {
    const { newEmail } = change;
    const now = clock();
    const user = await getCurrentUser(users, caller, now);
    assertNotUndoable(user, now);
    await sources.count(change.ip);
    await proveUser(user, caller, change);
    const { userId, sessionId } = caller;
    return ask({ kind: "email", email: newEmail, userId, sessionId, fromEmail: user.email }, change);
  };
}
