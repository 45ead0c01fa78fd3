import type { IdentityStore } from "../../accounts/identities.ts";
import { type IdentityView, viewIdentity } from "../../accounts/identity-view.ts";
import type { User, UserStore } from "../../accounts/store.ts";
import type { Clock } from "../../clock.ts";
import type { Session } from "../../sessions/session.ts";
import { settleAll } from "../../settle-all.ts";
import { getCurrentUser } from "../current-user.ts";

interface ListIdentitiesOptions {
  users: Pick<UserStore, "find">;
  identities: Pick<IdentityStore, "find">;
  clock: Clock;
}

/** The identities of a user at other providers, the oldest first. Throws AppError `unavailable`. */
export async function findIdentities(
  identities: Pick<IdentityStore, "find">,
  { userId, identityIds = new Set() }: User,
): Promise<IdentityView[]> {
  const entries = await settleAll([...identityIds].map((identity) => identities.find(identity)));
  return entries
    .flatMap((entry) => (entry?.userId === userId ? [viewIdentity(entry)] : []))
    .sort((a, b) => a.linkedAt - b.linkedAt || (a.identityId < b.identityId ? -1 : 1));
}

/** Makes the use case that lists what else opens the caller's account. */
export function createListIdentities({ users, identities, clock }: ListIdentitiesOptions) {
  /** Lists the identities, and whether the account has a password. Throws AppError `invalid_token`, `unavailable`. */
  return async function listIdentities(caller: Session) {
    const user = await getCurrentUser(users, caller, clock());
    return {
      identities: await findIdentities(identities, user),
      hasPassword: user.passwordHash !== undefined,
    };
  };
}
