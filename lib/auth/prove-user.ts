import type { User, UserKey, UserStore } from "../accounts/store.ts";
import type { AttemptLimit } from "../attempts/account-limit.ts";
import { AppError } from "../errors.ts";
import { verifyPassword } from "../factors/password-hash.ts";
import { settleAll } from "../settle-all.ts";

/**
 * The user of a live session, who typed the password again; undefined if the account is gone (the address may be
 * somebody else's by now). Throws AppError `invalid_credentials`, `too_many_attempts` (the limit is that of login),
 * `unavailable`.
 */
export async function proveUser(
  { users, attempts }: { users: Pick<UserStore, "find">; attempts: AttemptLimit },
  { email, userId }: UserKey,
  { password, device }: { password: string; device: string | undefined },
): Promise<User | undefined> {
  const [counted, user] = await settleAll([attempts.count(email, device), users.find(email)]);
  const attempt = await attempts.recount(counted, email, user);
  if (user?.userId !== userId) return undefined;
  if (!(await verifyPassword(user.passwordHash, password)))
    throw new AppError("invalid_credentials", { detail: "The current password is wrong." });
  await attempts.succeed(attempt);
  return user;
}
