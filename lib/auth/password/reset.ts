import { createChange } from "../../accounts/change.ts";
import { isDisabled } from "../../accounts/is-disabled.ts";
import type { User, UserStore } from "../../accounts/store.ts";
import type { AttemptLimit } from "../../attempts/account-limit.ts";
import type { ForgetAttempts } from "../../attempts/forget-attempts.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import type { Otp } from "../../factors/otp.ts";
import { hashPassword, verifyPassword } from "../../factors/password-hash.ts";
import { assertUncommonPassword, assertUsablePassword } from "../../factors/password-policy.ts";
import type { Client } from "../../sessions/session.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { isAnsweredAgain } from "../lost-answer.ts";
import type { Proof, ProveCode } from "../prove-code.ts";
import type { ProveToken } from "../prove-token.ts";
import type { SecondFactor } from "../second-factor.ts";
import { createSweep, isSweepDue } from "../sweep.ts";

interface ResetPasswordOptions {
  proveCode: ProveCode;
  proveToken: ProveToken;
  users: Pick<UserStore, "reset" | "noteSwept">;
  sessions: Pick<SessionStore, "list" | "deleteAll">;
  attempts: AttemptLimit;
  forgetAttempts: ForgetAttempts;
  lookAtOtp: SecondFactor;
  commonPasswords: ReadonlySet<string>;
  clock: Clock;
}

/** A reset as it came in: with a code that was asked for, or the token of a mail that an operator has begun it with. */
export type PasswordReset = NewPassword & (Proof | { token: string });

interface NewPassword extends Client {
  newPassword: string;
  /** A code of the second factor: only where the address of an account that has one was never proven. */
  otp?: Otp | undefined;
  requestId: string;
}

/** Makes the use case that sets a new password with a mailed code or link, and ends every session; it opens none. */
export function createResetPassword(options: ResetPasswordOptions) {
  const {
    proveCode,
    proveToken,
    users,
    sessions,
    attempts,
    forgetAttempts,
    lookAtOtp,
    commonPasswords,
    clock,
  } = options;
  const sweep = createSweep({ sessions, users });

  /**
   * Sets the password; a second factor stays. Throws AppError `invalid_body`, `invalid_code`, `code_expired`,
   * `unavailable`: the new password may hold then, and the same request or the next login ends what is left. Where the address
   * of an account with a second factor was never proven also `second_factor_required`, `invalid_otp`, `too_many_attempts`.
   */
  return async function resetPassword(request: PasswordReset): Promise<Pick<User, "userId">> {
    const { newPassword, otp, requestId, ip, userAgent } = request;
    const client = { ip, userAgent };
    const unusable = { commonPasswords, pointer: "#/newPassword" };
    // First what can be said without the code: it takes no try.
    assertUncommonPassword(newPassword, unusable);
    const { id, email, userId, createdAt } = await ("token" in request
      ? proveToken("recovery", request.token)
      : proveCode("reset", request));
    // Nobody has the address, or the mail has not been sent: no guess is told from another.
    if (userId === undefined) throw new AppError("code_expired");
    // The code is right, and is so again with another password.
    assertUsablePassword(newPassword, { ...unusable, email });
    const passwordHash = await hashPassword(newPassword);
    const now = clock();
    const change = createChange("authn_password_change", { by: "reset", client, requestId }, now);
    const asked = { userId, email, askedAt: createdAt, resetBy: id };
    let { isReset, user } = await users.reset(asked, passwordHash, change);
    if (!isReset && user && isUnproven(user)) {
      await proveByFactor(user);
      ({ isReset, user } = await users.reset(asked, passwordHash, change));
    }
    if (!user || !(isReset || (await isRepeat(user)))) throw new AppError("code_expired");
    if (isSweepDue(user)) await sweep(user);
    // Whoever has the mailbox is not the one who guessed passwords; codes of a second factor are another matter.
    if (!user.totp) await forgetAttempts(email);
    return { userId };

    /** It was set up while there was no mail. Whoever has the code has the mailbox, and may yet be a stranger. */
    function isUnproven(found: User): boolean {
      const isAsked = found.passwordChangedAt === undefined || found.passwordChangedAt < createdAt;
      const isFirst = found.totp !== undefined && found.emailVerifiedAt === undefined;
      return isFirst && isAsked && found.email === email && !isDisabled(found, now);
    }

    /** The address is proven then, and the same request goes on without the code. */
    async function proveByFactor(found: User): Promise<void> {
      const attempt = await attempts.count(found);
      const proof = { otp, idempotencyKey: undefined, provesEmail: true, requestId, ...client };
      const claim = await lookAtOtp(found, proof);
      if (!(await claim?.())) throw new AppError("unavailable");
      await attempts.succeed(attempt);
    }

    /** The same request again, whose answer was lost: it set the very password that is there. */
    async function isRepeat(found: User): Promise<boolean> {
      const isOfThis = found.resetBy === id && isAnsweredAgain(found.passwordChangedAt, now);
      return isOfThis && !isDisabled(found, now) && verifyPassword(found.passwordHash, newPassword);
    }
  };
}
