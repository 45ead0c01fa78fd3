import { createChange } from "../../accounts/change.ts";
import type { User, UserStore } from "../../accounts/store.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import {
  findPasskey,
  maxPasskeys,
  type Passkey,
  type PasskeyView,
  viewPasskey,
} from "../../passkeys/passkey.ts";
import { refusedRegistration, refuseRegistration, tooManyPasskeys } from "../../passkeys/refusals.ts";
import {
  type NewPasskey,
  type ParseRegistration,
  type PasskeyAnswer,
  toPasskey,
} from "../../passkeys/registration.ts";
import type { PasskeyStore } from "../../passkeys/store.ts";
import type { Client, Session } from "../../sessions/session.ts";
import { assertCurrent, getCurrentUser } from "../current-user.ts";
import { assertMayChangeFactor, assertProven } from "../factor-owner.ts";

interface AddPasskeyOptions {
  users: Pick<UserStore, "find">;
  passkeys: Pick<PasskeyStore, "add">;
  parseRegistration: ParseRegistration;
  /** Where mail is on, a passkey is only for a proven address. */
  hasMail: boolean;
  clock: Clock;
}

/** A new passkey as it came in. */
export interface PasskeyAddition extends Client {
  passkey: PasskeyAnswer;
  name?: string;
  requestId: string;
}

/** Two first passkeys at once: one of them finds the other, and is added to it. */
const maxLooks = 3;

/** Makes the use case that adds a passkey to the caller's account. */
export function createAddPasskey({ users, passkeys, parseRegistration, hasMail, clock }: AddPasskeyOptions) {
  /**
   * Adds the passkey; one that was added before by the same answer of the browser is given again. Throws AppError
   * `invalid_body` for one that is not to be trusted, `insufficient_user_authentication`, `email_unproven`, `too_many_passkeys`,
   * `invalid_token`, `unavailable`.
   */
  return async function addPasskey(caller: Session, addition: PasskeyAddition): Promise<PasskeyView> {
    const { passkey: answer, name, requestId, ...client } = addition;
    const made = await parseRegistration(answer, caller.userId).catch(refuseRegistration);
    const now = clock();
    const { passkeyId } = made;
    const passkey = toPasskey(made, answer, name, now);
    const change = createChange("passkey_added", { by: "user", client, requestId }, now);
    let user = await getCurrentUser(users, caller, now);
    for (let look = 1; look <= maxLooks; look++) {
      assertMayChangeFactor(user, caller);
      assertProven(user, hasMail);
      const known = findKnown(user, made);
      if (known) return viewPasskey(passkeyId, known);
      if (Object.keys(user.passkeys ?? {}).length >= maxPasskeys) throw tooManyPasskeys();
      const result = await passkeys.add(user, passkeyId, passkey, change);
      if (result.isWritten) return viewPasskey(passkeyId, passkey);
      assertCurrent(result.user, caller, now);
      user = result.user;
    }
    throw new AppError("unavailable");
  };
}

/** The very passkey, where it is there already: the answer to the request that added it was lost. */
function findKnown(user: User, { passkeyId, publicKey }: NewPasskey): Passkey | undefined {
  const known = findPasskey(user, passkeyId);
  if (known && known.publicKey !== publicKey) throw refusedRegistration();
  return known;
}
