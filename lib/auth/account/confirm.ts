import { assertUncommonPassword } from "../../factors/password-policy.ts";
import type { Proof, ProveCode } from "../prove-code.ts";
import { createOpenAccount, type NewAccount, type OpenAccountOptions } from "./open-account.ts";

interface ConfirmRegistrationOptions extends OpenAccountOptions {
  proveCode: ProveCode;
}

/** The end of a registration as it came in. */
export interface RegistrationConfirmation extends Proof, NewAccount {}

/** Makes the use case that creates the account of an address that is proven; it opens no session. */
export function createConfirmRegistration({ proveCode, ...options }: ConfirmRegistrationOptions) {
  const openAccount = createOpenAccount(options);

  /**
   * Creates the account, once for each code. Throws AppError `invalid_body`, `invalid_code`, `code_expired`, `email_taken`
   * (only whoever has the mailbox learns of it), `unavailable`.
   */
  return async function confirmRegistration({ challenge, code, ...account }: RegistrationConfirmation) {
    // First what can be said without the code: it takes no try.
    const commonPasswords = options.readCommonPasswords();
    assertUncommonPassword(account.password, { commonPasswords, pointer: "#/password" });
    return openAccount(await proveCode("register", { challenge, code }), account, { by: "user" });
  };
}
