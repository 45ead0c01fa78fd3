import { emailIdentity, type IdentityStore, isNamedBy } from "../../accounts/identities.ts";
import type { User, UserStore } from "../../accounts/store.ts";

/** Where users are found. */
export interface FindOptions {
  identities: Pick<IdentityStore, "find">;
  users: Pick<UserStore, "find">;
}

/** Makes what finds a user for an operator. */
export function createFindUser({ identities, users }: FindOptions) {
  /** By the e-mail address, which is normalised, or by the user id. Throws AppError `unavailable`. */
  return async function findUser(target: string): Promise<User | undefined> {
    if (!target.includes("@")) return users.find(target);
    const entry = await identities.find(emailIdentity(target));
    const user = entry && (await users.find(entry.userId));
    return entry && isNamedBy(entry, user) ? user : undefined;
  };
}
