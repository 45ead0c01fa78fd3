import { invalidMember } from "../../errors.ts";
import { findPasskey } from "../../passkeys/passkey.ts";
import { refuseRegistration } from "../../passkeys/refusals.ts";
import { type ParseRegistration, type PasskeyAnswer, toPasskey } from "../../passkeys/registration.ts";
import type { Proof, ProveCode } from "../prove-code.ts";
import { createFirstPassword } from "./first-password.ts";
import {
  createOpenAccount,
  type MakeFirstWay,
  type NewAccount,
  type OpenAccountOptions,
} from "./open-account.ts";

interface ConfirmRegistrationOptions extends OpenAccountOptions {
  proveCode: ProveCode;
  commonPasswords: ReadonlySet<string>;
  /** Undefined where there are no passkeys. */
  parseRegistration: ParseRegistration | undefined;
}

/** The end of a registration as it came in: with a password, or with a passkey in its place. */
export interface RegistrationConfirmation extends Proof, NewAccount {
  password?: string | undefined;
  passkey?: PasskeyAnswer | undefined;
}

/** Makes the use case that creates the account of an address that is proven; it opens no session. */
export function createConfirmRegistration(options: ConfirmRegistrationOptions) {
  const { proveCode, parseRegistration, commonPasswords } = options;
  const openAccount = createOpenAccount(options);

  /**
   * Creates the account, once for each code. Throws AppError `invalid_body`, `invalid_code`, `code_expired`, `email_taken`
   * (only whoever has the mailbox learns of it), `unavailable`.
   */
  return async function confirmRegistration({
    challenge,
    code,
    password,
    passkey,
    ...account
  }: RegistrationConfirmation) {
    // First what can be said without the code: it takes no try.
    const makeWay = findFirstWay(password, passkey);
    return openAccount(await proveCode("register", { challenge, code }), makeWay, account, { by: "user" });
  };

  function findFirstWay(password: string | undefined, passkey: PasskeyAnswer | undefined): MakeFirstWay {
    if (!passkey) {
      if (password === undefined) throw invalidMember("password", "is missing");
      return createFirstPassword(password, commonPasswords);
    }
    if (!parseRegistration) throw invalidMember("passkey", "is not known");
    if (password !== undefined) throw invalidMember("passkey", "takes the place of the password");
    return async ({ userId }, now) => {
      const made = await parseRegistration(passkey, userId, "register").catch(refuseRegistration);
      const { passkeyId, publicKey } = made;
      return {
        stored: { passkeys: { [passkeyId]: toPasskey(made, passkey, undefined, now) } },
        isOf: (user) => findPasskey(user, passkeyId)?.publicKey === publicKey,
      };
    };
  }
}
