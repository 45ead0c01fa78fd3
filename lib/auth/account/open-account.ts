import { createChange } from "../../accounts/change.ts";
import type { Directory } from "../../accounts/directory.ts";
import { emailTaken } from "../../accounts/email-taken.ts";
import { isDisabled } from "../../accounts/is-disabled.ts";
import type { User } from "../../accounts/store.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import { hashPassword, verifyPassword } from "../../factors/password-hash.ts";
import { assertUsablePassword } from "../../factors/password-policy.ts";
import type { Mail } from "../../mail/mail.ts";
import type { MailStore } from "../../mail/store.ts";
import type { Client } from "../../sessions/session.ts";
import type { TransactItem } from "../../transaction.ts";
import { isAnsweredAgain } from "../lost-answer.ts";

/** What an account is opened with. */
export interface OpenAccountOptions {
  mails: Pick<MailStore, "toUse">;
  directory: Pick<Directory, "register">;
  readCommonPasswords: () => ReadonlySet<string>;
  clock: Clock;
}

/** What whoever opens an account sends. */
export interface NewAccount extends Client {
  password: string;
  requestId: string;
}

/** An account as it is answered. */
export type OpenedAccount = Pick<User, "userId" | "email">;

/** Makes the one way to an account whose address is proven by a mail; it opens no session. */
export function createOpenAccount({ mails, directory, readCommonPasswords, clock }: OpenAccountOptions) {
  /**
   * Creates the account, once for each mail; `by` stands in its record, and `uses` is what else the mail counts by. Throws AppError `invalid_body`,
   * `code_expired`, `email_taken` (only whoever has the mailbox learns of it), `unavailable`.
   */
  return async function openAccount(
    { id, email, newUserId: userId, language, usedAt, roles }: Mail,
    { password, requestId, ...client }: NewAccount,
    { by, uses = [] }: { by: "user" | "invitation"; uses?: TransactItem[] },
  ): Promise<OpenedAccount> {
    if (userId === undefined || !isAnsweredAgain(usedAt, clock())) throw new AppError("code_expired");
    // The mail counts, and does so again with another password.
    assertUsablePassword(password, { commonPasswords: readCommonPasswords(), pointer: "#/password", email });
    const passwordHash = await hashPassword(password);
    const now = clock();
    const user: User = {
      ...{ userId, email, emailVerifiedAt: now, language, passwordHash },
      ...{ sessionEpoch: 0, sweptEpoch: 0, createdAt: now },
      ...(roles && { roles }),
      lastChange: {
        ...createChange("user_created", { by, client, requestId }, now),
        ...(roles && { roles }),
      },
    };
    const outcome = await directory.register(user, [mails.toUse(id, now), ...uses]);
    if (outcome.is === "taken") throw emailTaken();
    if (outcome.is === "used" && !(await isRepeat(outcome.user))) throw new AppError("code_expired");
    return { userId, email };

    /** The same request again, whose answer was lost: the account that it made is there, with this password. */
    async function isRepeat(found: User | undefined): Promise<boolean> {
      if (!found || found.email !== email || isDisabled(found, now)) return false;
      // Of another password than the one that came with the mail nothing is told.
      if (found.passwordChangedAt !== undefined) return false;
      return verifyPassword(found.passwordHash, password);
    }
  };
}
