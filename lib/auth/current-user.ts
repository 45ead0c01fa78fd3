import { isDisabled } from "../accounts/is-disabled.ts";
import type { User, UserStore } from "../accounts/store.ts";
import { AppError } from "../errors.ts";
import type { Session } from "../sessions/session.ts";

/** Reads the user of a live session, which may be over in truth. Throws what `assertCurrent` throws, `unavailable`. */
export async function getCurrentUser(
  users: Pick<UserStore, "find">,
  caller: Session,
  now: number,
): Promise<User> {
  const user = await users.find(caller.userId);
  assertCurrent(user, caller, now);
  return user;
}

/** Throws AppError `invalid_token` where a session is over in truth, or its account gone or disabled. */
export function assertCurrent(
  user: User | undefined,
  { sessionEpoch }: Session,
  now: number,
): asserts user is User {
  if (!user) throw new AppError("invalid_token", { reason: "account gone" });
  if (isDisabled(user, now)) throw new AppError("invalid_token", { reason: "account disabled" });
  if (user.sessionEpoch !== sessionEpoch)
    throw new AppError("invalid_token", { reason: "session of an earlier epoch" });
}
