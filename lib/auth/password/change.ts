import type { UserStore } from "../../accounts/store.ts";
import type { AttemptLimit } from "../../attempts/account-limit.ts";
import { AppError } from "../../errors.ts";
import { hashPassword, isSamePassword } from "../../factors/password-hash.ts";
import { assertUsablePassword, invalidPassword } from "../../factors/password-policy.ts";
import type { SessionKey, SessionStore } from "../../sessions/store.ts";
import { proveUser } from "../prove-user.ts";
import { createSweep, isSweepDue } from "../sweep.ts";

interface ChangePasswordOptions {
  users: Pick<UserStore, "find" | "changePassword" | "noteSwept">;
  sessions: Pick<SessionStore, "find" | "list" | "deleteAll">;
  attempts: AttemptLimit;
  readCommonPasswords: () => ReadonlySet<string>;
}

/** Makes the use case that changes a password and ends all sessions but the one it is done from. */
export function createChangePassword({
  users,
  sessions,
  attempts,
  readCommonPasswords,
}: ChangePasswordOptions) {
  const sweep = createSweep({ sessions, users });

  /**
   * Changes the password. The session is known to live. Throws AppError `invalid_body`, `invalid_credentials`,
   * `too_many_attempts`, `invalid_token`, `unavailable`: then the new password may hold already, and a repeat or a login ends the rest.
   */
  return async function changePassword(
    session: SessionKey & { email: string },
    { currentPassword, newPassword }: { currentPassword: string; newPassword: string },
    device: string | undefined,
  ): Promise<void> {
    // First what can be said without the password: it takes no attempt.
    const pointer = "#/newPassword";
    assertUsablePassword(newPassword, {
      email: session.email,
      commonPasswords: readCommonPasswords(),
      pointer,
    });
    if (isSamePassword(newPassword, currentPassword))
      throw invalidPassword(pointer, "must not be the current password");
    const user = await proveUser({ users, attempts }, session, { password: currentPassword, device });
    if (!user) throw new AppError("invalid_token", { reason: "account gone" });
    if (isSweepDue(user)) {
      await sweep(user);
      // This session may be one of those that the earlier change ended.
      if (!(await sessions.find(session))) throw new AppError("invalid_token", { reason: "session gone" });
    }
    const changed = await users.changePassword(session, {
      from: user.passwordHash,
      to: await hashPassword(newPassword),
      keptSessionId: session.sessionId,
    });
    // Another change, a re-hash or the end of all sessions came between: all of it has to be looked at anew.
    if (!changed) throw new AppError("unavailable");
    await sweep(changed);
  };
}
