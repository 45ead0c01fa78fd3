import type { Invitations } from "../../accounts/invitations.ts";
import { AppError } from "../../errors.ts";
import { assertUncommonPassword } from "../../factors/password-policy.ts";
import type { Codes } from "../../mail/codes.ts";
import type { MailStore } from "../../mail/store.ts";
import { createOpenAccount, type NewAccount, type OpenAccountOptions } from "./open-account.ts";

interface AcceptInvitationOptions extends OpenAccountOptions {
  codes: Pick<Codes, "openToken" | "isOf">;
  mails: Pick<MailStore, "find" | "toUse">;
  invitations: Pick<Invitations, "toAccept">;
}

/** The acceptance of an invitation as it came in. */
export interface Acceptance extends NewAccount {
  /** Of the mail that invited. */
  token: string;
}

/** Makes the use case that creates the account that an operator has invited somebody to; it opens no session. */
export function createAcceptInvitation({ codes, invitations, ...options }: AcceptInvitationOptions) {
  const openAccount = createOpenAccount(options);

  /**
   * Creates the account, once for each invitation: the address is the one that it was mailed to. Throws AppError
   * `invalid_body`, `code_expired` – without a request, where the token is none of ours –, `email_taken`, `unavailable`.
   */
  return async function acceptInvitation({ token, ...account }: Acceptance) {
    const commonPasswords = options.readCommonPasswords();
    assertUncommonPassword(account.password, { commonPasswords, pointer: "#/password" });
    const id = await codes.openToken("invitation", token);
    const mail = id === undefined ? undefined : await options.mails.find(id);
    const isGood = mail?.kind === "invitation" && codes.isOf(mail) && mail.validUntil > options.clock();
    if (!isGood) throw new AppError("code_expired");
    const uses = [invitations.toAccept(mail.email, mail.createdAt)];
    return openAccount(mail, account, { by: "invitation", uses });
  };
}
