import { maxIdentities } from "../../accounts/identities.ts";
import type { UserStore } from "../../accounts/store.ts";
import type { Clock } from "../../clock.ts";
import { providerRefusal } from "../../providers/refusals.ts";
import type { Session } from "../../sessions/session.ts";
import { getCurrentUser } from "../current-user.ts";
import { assertMayChangeFactor, assertProven } from "../factor-owner.ts";

interface BeginLinkOptions {
  users: Pick<UserStore, "find">;
  /** Where mail is on, an identity is only for a proven address. */
  hasMail: boolean;
  clock: Clock;
}

/** Makes the look at whether the caller may have one more identity open the account, before anybody is sent anywhere. */
export function createBeginLink({ users, hasMail, clock }: BeginLinkOptions) {
  /** Throws AppError `insufficient_user_authentication`, `email_unproven`, `too_many_identities`, `invalid_token`, `unavailable`. */
  return async function beginLink(caller: Session): Promise<void> {
    const user = await getCurrentUser(users, caller, clock());
    assertMayChangeFactor(user, caller);
    assertProven(user, hasMail);
    if ((user.identityIds?.size ?? 0) >= maxIdentities) throw providerRefusal("too_many_identities");
  };
}
