import type { Invitations } from "../../accounts/invitations.ts";
import type { ProveToken } from "../prove-token.ts";
import { createFirstPassword } from "./first-password.ts";
import { createOpenAccount, type NewAccount, type OpenAccountOptions } from "./open-account.ts";

interface AcceptInvitationOptions extends OpenAccountOptions {
  proveToken: ProveToken;
  invitations: Pick<Invitations, "toAccept">;
  commonPasswords: ReadonlySet<string>;
}

/** The acceptance of an invitation as it came in. */
export interface Acceptance extends NewAccount {
  /** Of the mail that invited. */
  token: string;
  password: string;
}

/** Makes the use case that creates the account that an operator has invited somebody to; it opens no session. */
export function createAcceptInvitation(options: AcceptInvitationOptions) {
  const { proveToken, invitations, commonPasswords } = options;
  const openAccount = createOpenAccount(options);

  /**
   * Creates the account, once for each invitation: the address is the one that it was mailed to. Throws AppError
   * `invalid_body`, `code_expired` – without a request, where the token is none of ours –, `email_taken`, `unavailable`.
   */
  return async function acceptInvitation({ token, password, ...account }: Acceptance) {
    const makeWay = createFirstPassword(password, commonPasswords);
    const mail = await proveToken("invitation", token);
    const uses = [invitations.toAccept(mail.email, mail.createdAt)];
    return openAccount(mail, makeWay, account, { by: "invitation", uses });
  };
}
