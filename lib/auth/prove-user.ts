import type { User } from "../accounts/store.ts";
import type { AttemptLimit } from "../attempts/account-limit.ts";
import { AppError } from "../errors.ts";
import { verifyStoredPassword } from "../factors/stored-password.ts";
import { type Amr, amrOf } from "../sessions/amr.ts";
import type { Session } from "../sessions/session.ts";
import type { OtpRequest, SecondFactor } from "./second-factor.ts";

interface ProveUserOptions {
  attempts: AttemptLimit;
  lookAtOtp: SecondFactor;
}

/** What a user proves to be the one: the password, typed again, and a code where the account has a second factor. */
export interface Proof extends OtpRequest {
  password: string;
  /** What the client keeps of earlier logins (lib/attempts/known-devices.ts). */
  device: string | undefined;
}

/** Proves the user of a live session. */
export type ProveUser = ReturnType<typeof createProveUser>;

/** Makes the one proof of a user who is signed in: what changes an account asks for no less than login does. */
export function createProveUser({ attempts, lookAtOtp }: ProveUserOptions) {
  /**
   * Proves the user, and gives the hash of the password that was verified, and how the user was proven. Throws AppError
   * `invalid_credentials`, `second_factor_required`, `invalid_otp`, `too_many_attempts` (the limit is that of login),
   * `unavailable`.
   */
  return async function proveUser(
    user: User,
    caller: Pick<Session, "sessionId">,
    { password, device, ...request }: Proof,
  ): Promise<{ passwordHash: string; amr: Amr | undefined }> {
    const counted = await attempts.count(user, device);
    const attempt = await attempts.recount(counted, user, caller);
    const { passwordHash } = user;
    const { isVerified } = await verifyStoredPassword(user, password);
    if (!isVerified || passwordHash === undefined)
      throw new AppError("invalid_credentials", { detail: "The current password is wrong." });
    const claim = await lookAtOtp(user, request);
    // The user was changed meanwhile: all of it has to be looked at anew.
    if (claim && !(await claim())) throw new AppError("unavailable");
    await attempts.succeed(attempt);
    return { passwordHash, amr: claim && amrOf.password };
  };
}
