import { createChange } from "../../accounts/change.ts";
import { isDisabled } from "../../accounts/is-disabled.ts";
import type { User, UserStore } from "../../accounts/store.ts";
import type { ForgetAttempts } from "../../attempts/forget-attempts.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import { hashPassword, verifyPassword } from "../../factors/password-hash.ts";
import { assertUncommonPassword, assertUsablePassword } from "../../factors/password-policy.ts";
import type { Client } from "../../sessions/session.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { isAnsweredAgain } from "../lost-answer.ts";
import type { Proof, ProveCode } from "../prove-code.ts";
import { createSweep, isSweepDue } from "../sweep.ts";

interface ResetPasswordOptions {
  proveCode: ProveCode;
  users: Pick<UserStore, "reset" | "noteSwept">;
  sessions: Pick<SessionStore, "list" | "deleteAll">;
  forgetAttempts: ForgetAttempts;
  readCommonPasswords: () => ReadonlySet<string>;
  clock: Clock;
}

/** A reset as it came in. */
export interface PasswordReset extends Proof, Client {
  newPassword: string;
  requestId: string;
}

/** Makes the use case that sets a new password with a mailed code, and ends every session; it opens none. */
export function createResetPassword(options: ResetPasswordOptions) {
  const { proveCode, users, sessions, forgetAttempts, readCommonPasswords, clock } = options;
  const sweep = createSweep({ sessions, users });

  /**
   * Sets the password. Throws AppError `invalid_body`, `invalid_code`, `code_expired`, `unavailable`: the new password may
   * hold then, and the same request or the next login ends what is left.
   */
  return async function resetPassword(request: PasswordReset): Promise<Pick<User, "userId">> {
    const { newPassword, requestId, ...client } = request;
    const unusable = { commonPasswords: readCommonPasswords(), pointer: "#/newPassword" };
    // First what can be said without the code: it takes no try.
    assertUncommonPassword(newPassword, unusable);
    const { id, email, userId, createdAt } = await proveCode("reset", request);
    // Nobody has the address, or the mail has not been sent: no guess is told from another.
    if (userId === undefined) throw new AppError("code_expired");
    // The code is right, and is so again with another password.
    assertUsablePassword(newPassword, { ...unusable, email });
    const passwordHash = await hashPassword(newPassword);
    const now = clock();
    const change = createChange("authn_password_change", { by: "reset", client, requestId }, now);
    const asked = { userId, email, askedAt: createdAt, resetBy: id };
    const { isReset, user } = await users.reset(asked, passwordHash, change);
    if (!user || !(isReset || (await isRepeat(user)))) throw new AppError("code_expired");
    if (isSweepDue(user)) await sweep(user);
    // Whoever has the mailbox is not the one who guessed.
    await forgetAttempts(email);
    return { userId };

    /** The same request again, whose answer was lost: it set the very password that is there. */
    async function isRepeat(found: User): Promise<boolean> {
      const isOfThis = found.resetBy === id && isAnsweredAgain(found.passwordChangedAt, now);
      return isOfThis && !isDisabled(found, now) && verifyPassword(found.passwordHash, newPassword);
    }
  };
}
