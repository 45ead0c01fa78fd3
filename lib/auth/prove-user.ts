import type { User } from "../accounts/store.ts";
import type { AttemptLimit } from "../attempts/account-limit.ts";
import { AppError } from "../errors.ts";
import { verifyPassword } from "../factors/password-hash.ts";
import type { Session } from "../sessions/session.ts";

/** What a user proves to be the one: the password, typed again. */
export interface Proof {
  password: string;
  /** What the client keeps of earlier logins (lib/attempts/known-devices.ts). */
  device: string | undefined;
}

/**
 * Proves the user of a live session by the password, and gives the hash of it that was verified. Throws AppError `invalid_credentials`,
 * `too_many_attempts` (the limit is that of login), `unavailable`.
 */
export async function proveUser(
  attempts: AttemptLimit,
  user: User,
  caller: Pick<Session, "sessionId">,
  { password, device }: Proof,
): Promise<string> {
  const counted = await attempts.count(user, device);
  const attempt = await attempts.recount(counted, user, caller);
  const { passwordHash } = user;
  if (!(await verifyPassword(passwordHash, password)) || passwordHash === undefined)
    throw new AppError("invalid_credentials", { detail: "The current password is wrong." });
  await attempts.succeed(attempt);
  return passwordHash;
}
