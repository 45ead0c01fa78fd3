import { createChange } from "../../accounts/change.ts";
import type { Directory } from "../../accounts/directory.ts";
import { isDisabled, type User } from "../../accounts/store.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import { hashPassword, verifyPassword } from "../../factors/password-hash.ts";
import { assertUncommonPassword, assertUsablePassword } from "../../factors/password-policy.ts";
import type { MailStore } from "../../mail/store.ts";
import type { Client } from "../../sessions/session.ts";
import type { Proof, ProveCode } from "../prove-code.ts";

interface ConfirmRegistrationOptions {
  proveCode: ProveCode;
  mails: Pick<MailStore, "toUse">;
  directory: Pick<Directory, "register">;
  readCommonPasswords: () => ReadonlySet<string>;
  clock: Clock;
}

/** The end of a registration as it came in. */
export interface RegistrationConfirmation extends Proof, Client {
  password: string;
  requestId: string;
}

/** Makes the use case that creates the account of an address that is proven; it opens no session. */
export function createConfirmRegistration(options: ConfirmRegistrationOptions) {
  const { proveCode, mails, directory, readCommonPasswords, clock } = options;

  /**
   * Creates the account, once for each code. Throws AppError `invalid_body`, `invalid_code`, `code_expired`, `email_taken`
   * (only whoever has the mailbox learns of it), `unavailable`.
   */
  return async function confirmRegistration(request: RegistrationConfirmation) {
    const { password, requestId, ...client } = request;
    const unusable = { commonPasswords: readCommonPasswords(), pointer: "#/password" };
    // First what can be said without the code: it takes no try.
    assertUncommonPassword(password, unusable);
    const { id, email, newUserId: userId, language } = await proveCode("register", request);
    if (userId === undefined) throw new AppError("code_expired");
    // The code is right, and is so again with another password.
    assertUsablePassword(password, { ...unusable, email });
    const passwordHash = await hashPassword(password);
    const now = clock();
    const user: User = {
      ...{ userId, email, emailVerifiedAt: now, language, passwordHash },
      ...{ sessionEpoch: 0, sweptEpoch: 0, createdAt: now },
      lastChange: createChange("user_created", { by: "user", client, requestId }, now),
    };
    const outcome = await directory.register(user, mails.toUse(id, now));
    if (outcome.is === "taken")
      throw new AppError("email_taken", { detail: "There is an account with this e-mail address." });
    if (outcome.is === "used" && !(await isRepeat(outcome.user))) throw new AppError("code_expired");
    return { userId, email };

    /** The same request again, whose answer was lost: the account that it made is there, with this password. */
    async function isRepeat(found: User | undefined): Promise<boolean> {
      if (!found || found.email !== email || isDisabled(found)) return false;
      return verifyPassword(found.passwordHash, password);
    }
  };
}
