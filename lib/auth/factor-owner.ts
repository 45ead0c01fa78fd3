import type { User, UserStore } from "../accounts/store.ts";
import { AppError } from "../errors.ts";
import { amrClaims } from "../sessions/amr.ts";
import { assertTwoFactors } from "../sessions/fresh.ts";
import type { Session } from "../sessions/session.ts";
import { getCurrentUser } from "./current-user.ts";

/** A user who has a second factor. */
export type FactorOwner = User & Required<Pick<User, "totp">>;

/** Throws AppError `insufficient_user_authentication` where the account has a second factor, and the session was opened without. */
export function assertMayChangeFactor({ totp }: User, caller: Session): void {
  if (totp) assertTwoFactors(amrClaims(caller)?.acr);
}

/**
 * Reads the user of a session who has a second factor, and may change it. Throws AppError `totp_not_enabled`,
 * `insufficient_user_authentication`, `invalid_token`, `unavailable`.
 */
export async function getFactorOwner(
  users: Pick<UserStore, "find">,
  caller: Session,
  now: number,
): Promise<FactorOwner> {
  const user = await getCurrentUser(users, caller, now);
  const { totp } = user;
  if (!totp)
    throw new AppError("totp_not_enabled", {
      detail: "The account has no authenticator app. Nothing was changed.",
    });
  assertMayChangeFactor(user, caller);
  return { ...user, totp };
}

/**
 * Throws AppError `email_unproven` where mail is on and the address is not proven: whoever has it must not meet a second
 * factor, or a passkey, that a stranger has set up.
 */
export function assertProven({ emailVerifiedAt }: User, hasMail: boolean): void {
  if (hasMail && emailVerifiedAt === undefined)
    throw new AppError("email_unproven", {
      detail:
        "The e-mail address of the account is not proven. Prove it first: POST /auth/email with that address.",
    });
}
