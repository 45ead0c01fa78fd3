import { randomUUID } from "node:crypto";
import { createChange } from "../accounts/change.ts";
import type { Directory } from "../accounts/directory.ts";
import {
  emailIdentity,
  type IdentityEntry,
  type IdentityStore,
  isNamedBy,
  maxIdentities,
} from "../accounts/identities.ts";
import { isDisabled } from "../accounts/is-disabled.ts";
import type { User, UserStore } from "../accounts/store.ts";
import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import type { Language } from "../mail/language.ts";
import type { Evidence } from "../providers/evidence.ts";
import { providerRefusal } from "../providers/refusals.ts";
import type { Client } from "../sessions/session.ts";

interface FindAccountOptions {
  users: Pick<UserStore, "find">;
  identities: Pick<IdentityStore, "find">;
  directory: Pick<Directory, "register" | "link">;
  /** Nobody makes an account but the operator. */
  isClosed: boolean;
  /** Answers whether an address can be that of an account here: where mail is on, one that mail can be sent to. */
  isUsableEmail: (email: string) => boolean;
  clock: Clock;
}

/** Who signs in, by which request. */
export interface ExternalCaller extends Client {
  /** The id of the provider. */
  providerId: string;
  /** The language that mails to a new account are to have. */
  language: Language;
  requestId: string;
}

/** An account that a provider's word opens. */
export interface FoundAccount {
  user: User;
  isNew: boolean;
}

/** Finds whose account a provider's word opens. */
export type FindAccount = ReturnType<typeof createFindAccount>;

/** Others can sign in with the same identity, or take the address, between our look and our write. */
const maxLooks = 3;

/**
 * Makes the rule whose account an identity opens: of the user who names it; where nobody does, an account is made, if the provider
 * has verified the address and nobody has it. An address alone opens an account only where the provider gives out addresses of its
 * domain, the account's own is proven, and no second factor stands before it.
 */
export function createFindAccount(options: FindAccountOptions) {
  const { users, identities, directory, isClosed, isUsableEmail, clock } = options;

  /** The user whom an entry of the index counts for. */
  async function findNamed(identity: string): Promise<User | undefined> {
    const entry = await identities.find(identity);
    const user = entry && (await users.find(entry.userId));
    return entry && isNamedBy(entry, user) ? user : undefined;
  }

  /**
   * Finds the account, makes one, or links the identity to the one with the address. Throws AppError `sign_in_refused`,
   * `email_not_verified`, `email_taken`, `registration_closed`, `unavailable`.
   */
  return async function findAccount(evidence: Evidence, caller: ExternalCaller): Promise<FoundAccount> {
    for (let look = 1; look <= maxLooks; look++) {
      const known = await findNamed(evidence.identity);
      if (known) return { user: assertOpen(known), isNew: false };
      const { email } = evidence;
      if (email === undefined || !isUsableEmail(email))
        throw providerRefusal("email_not_verified", { reason: "address not verified" });
      const owner = await findNamed(emailIdentity(email));
      // Somebody has just signed in with it for the first time.
      if (owner?.identityIds?.has(evidence.identity)) return { user: assertOpen(owner), isNew: false };
      if (!owner && isClosed) throw providerRefusal("registration_closed");
      const found = owner
        ? await linkTo(owner, { ...evidence, email }, caller)
        : await createAccount({ ...evidence, email }, caller);
      if (found) return found;
    }
    throw new AppError("unavailable");
  };

  function assertOpen(user: User): User {
    if (isDisabled(user, clock())) throw providerRefusal("sign_in_refused", { reason: "account disabled" });
    return user;
  }

  /** Undefined where something has come between: look again. */
  async function createAccount(proven: Proven, caller: ExternalCaller): Promise<FoundAccount | undefined> {
    const { language, requestId, providerId: _, ...client } = caller;
    const now = clock();
    const userId = randomUUID();
    const entry = createEntry(proven, caller, { userId, createdAt: now });
    const user: User = {
      ...{
        userId,
        email: proven.email,
        emailVerifiedAt: now,
        language,
        identityIds: new Set([entry.identity]),
      },
      ...{ sessionEpoch: 0, sweptEpoch: 0, createdAt: now },
      lastChange: createChange("user_created", { by: "provider", client, requestId }, now),
    };
    const { is } = await directory.register(user, [], [entry]);
    if (is === "registered") return { user, isNew: true };
    if (is === "used") throw new AppError("unavailable");
    // Somebody has the identity by now, or the address: the next look tells. One that is reserved is nobody's to see.
    const isSeen = (await findNamed(proven.identity)) ?? (await findNamed(emailIdentity(proven.email)));
    if (!isSeen) throw taken();
    return undefined;
  }

  async function linkTo(
    owner: User,
    proven: Proven,
    caller: ExternalCaller,
  ): Promise<FoundAccount | undefined> {
    const isLinked = proven.isAuthoritative && owner.emailVerifiedAt !== undefined && !owner.totp;
    if (!isLinked || isDisabled(owner, clock())) throw taken();
    const { requestId, language: _, providerId: _provider, ...client } = caller;
    const now = clock();
    const change = createChange("identity_linked", { by: "provider", client, requestId }, now);
    const entry = createEntry(proven, caller, { userId: owner.userId, createdAt: now });
    const outcome = await directory.link(owner, entry, {
      change,
      condition: "email = :email AND attribute_exists(emailVerifiedAt) AND attribute_not_exists(totp)",
      values: { ":email": proven.email },
    });
    if (outcome.is === "linked") {
      const identityIds = new Set([...(owner.identityIds ?? []), entry.identity]);
      return { user: { ...owner, identityIds, lastChange: change }, isNew: false };
    }
    // With ten identities, or another address by now, or of an identity that is another's: the next look tells, or this does.
    if (outcome.is === "overtaken" && (outcome.user?.identityIds?.size ?? 0) >= maxIdentities) throw taken();
    return undefined;
  }
}

/** An identity whose address the provider has verified. */
type Proven = Evidence & { email: string };

const taken = (): AppError => providerRefusal("email_taken", { reason: "address taken" });

function createEntry(
  { identity, email }: Evidence,
  { providerId: provider }: Pick<ExternalCaller, "providerId">,
  whose: Pick<IdentityEntry, "userId" | "createdAt">,
): IdentityEntry {
  return { identity, ...whose, provider, ...(email !== undefined && { email }) };
}
