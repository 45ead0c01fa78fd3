import { createChange } from "../../accounts/change.ts";
import { findPasswordPause, type UserStore } from "../../accounts/store.ts";
import type { Devices } from "../../attempts/known-devices.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import { hashPassword, isSamePassword } from "../../factors/password-hash.ts";
import { assertUsablePassword, invalidPassword } from "../../factors/password-policy.ts";
import type { Session } from "../../sessions/session.ts";
import type { PairIssuer } from "../../tokens/issue-pair.ts";
import { getCurrentUser } from "../current-user.ts";
import type { OpenedSession, OpenSession, SessionRequest } from "../open-session.ts";
import type { Proof, ProveUser } from "../prove-user.ts";

interface ChangePasswordOptions {
  users: Pick<UserStore, "find" | "changePassword">;
  proveUser: ProveUser;
  devices: Pick<Devices, "remember">;
  pairs: Pick<PairIssuer, "ready">;
  openSession: OpenSession;
  commonPasswords: ReadonlySet<string>;
  clock: Clock;
}

/** A change of password as it came in. */
export interface PasswordChange extends Omit<SessionRequest, "amr" | "replaced">, Omit<Proof, "password"> {
  /** Of an account that has one. */
  currentPassword?: string | undefined;
  newPassword: string;
}

/** Makes the use case that changes a password, or sets the first one, ends every session and opens a new one for the caller. */
export function createChangePassword({
  users,
  proveUser,
  devices,
  pairs,
  openSession,
  commonPasswords,
  clock,
}: ChangePasswordOptions) {
  /**
   * Changes the password and gives the caller a new session: a copy of the old one must not outlive the cure. The
   * caller's session is known to live. Throws what `proveUser` throws, AppError `invalid_body`, `too_many_requests`,
   * `invalid_token`, `unavailable`: the new password may hold then, and the next login ends what is left.
   */
  return async function changePassword(caller: Session, request: PasswordChange): Promise<OpenedSession> {
    const { currentPassword, newPassword, device, requestId } = request;
    // First what can be said without the password: it takes no attempt.
    const pointer = "#/newPassword";
    assertUsablePassword(newPassword, { email: caller.email, commonPasswords, pointer });
    if (currentPassword !== undefined && isSamePassword(newPassword, currentPassword))
      throw invalidPassword(pointer, "must not be the current password");
    // Without a key to sign with nothing is changed.
    await pairs.ready();
    const now = clock();
    const user = await getCurrentUser(users, caller, now);
    assertUnpaused(findPasswordPause(user, now));
    const proof = { ...request, password: currentPassword };
    const { passwordHash: from, ...proven } = await proveUser(user, caller, proof);
    const to = await hashPassword(newPassword);
    const change = createChange("authn_password_change", { by: "user", client: request, requestId }, clock());
    const changed = await users.changePassword(caller, { from, to, amr: proven.amr }, change);
    // A re-hash or the end of all sessions came between: all of it has to be looked at anew.
    if (!changed) throw new AppError("unavailable");
    const pair = await openSession(changed, { ...request, ...proven });
    if (!pair) throw new AppError("invalid_token", { reason: "session of an earlier epoch" });
    const { sessionId } = pair;
    return { pair, device: await devices.remember({ ...changed, sessionId }, device) };
  };
}

function assertUnpaused(seconds: number): void {
  if (seconds === 0) return;
  throw new AppError("too_many_requests", {
    detail: `The password was changed a short time ago. The next change is possible in ${seconds} s.`,
    headers: { "retry-after": String(seconds) },
  });
}
