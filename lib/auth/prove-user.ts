import type { User } from "../accounts/store.ts";
import type { AttemptLimit } from "../attempts/account-limit.ts";
import type { Clock } from "../clock.ts";
import { AppError, invalidMember } from "../errors.ts";
import { verifyStoredPassword } from "../factors/stored-password.ts";
import type { AssertionJson } from "../passkeys/assertion.ts";
import { invalidPasskey } from "../passkeys/refusals.ts";
import { type Amr, amrOf, amrOfPasskey } from "../sessions/amr.ts";
import { authTimeOf } from "../sessions/auth-time.ts";
import { assertFresh, freshSeconds } from "../sessions/fresh.ts";
import { assertSessionKey } from "../sessions/presented-keys.ts";
import { assertCurrentPair } from "../sessions/presented-pair.ts";
import type { Session } from "../sessions/session.ts";
import { assertMayChangeFactor } from "./factor-owner.ts";
import type { NameUse } from "./name-use.ts";
import type { ProvePasskey } from "./prove-passkey.ts";
import type { OtpRequest, SecondFactor } from "./second-factor.ts";

interface ProveUserOptions {
  attempts: AttemptLimit;
  lookAtOtp: SecondFactor;
  /** Undefined where there are no passkeys. */
  passkeys: ProvePasskey | undefined;
  nameUse: NameUse;
  clock: Clock;
  /** What the body calls the password; by default `password`. */
  field?: string;
}

/** What a user proves to be the one: the password, typed again, with a code where the account has a second factor; or a passkey. */
export interface Proof extends OtpRequest {
  password?: string | undefined;
  /** The answer to a new challenge, in place of password and code. */
  passkey?: AssertionJson | undefined;
  /** What the client keeps of earlier logins (lib/attempts/known-devices.ts). */
  device: string | undefined;
  /** With these a caller goes on whose account has no password, and who has just logged in. */
  refreshToken: unknown;
  sessionKey: string | undefined;
}

/** How a user was proven. */
export interface Proven {
  /** The hash of the account's password, as it was read. */
  passwordHash: string | undefined;
  amr: Amr | undefined;
  /** The caller's session, where it was its login that proved the user: the account has no password. */
  replaced?: Session;
}

/** Proves the user of a live session. */
export type ProveUser = ReturnType<typeof createProveUser>;

/** Makes the one proof of a user who is signed in: what changes an account asks for no less than login does. */
export function createProveUser(options: ProveUserOptions) {
  const { attempts, lookAtOtp, passkeys, nameUse, clock, field = "password" } = options;

  /**
   * Proves the user. Where the account has no password a login of the 300 s before `at` (epoch seconds; now) does it, with the
   * whole pair. Throws AppError `invalid_body`, `invalid_credentials`, `second_factor_required`, `invalid_otp`, `too_many_attempts` (the limit is
   * that of login), `invalid_passkey`, `unknown_passkey`, `insufficient_user_authentication`, `invalid_token`,
   * `session_key_required`, `unavailable`.
   */
  return async function proveUser(
    user: User,
    caller: Session,
    proof: Proof,
    at: number = clock(),
  ): Promise<Proven> {
    const { password, passkey } = proof;
    if (passkey) return proveByPasskey(user, passkey, proof);
    if (user.passwordHash === undefined) return proveByLogin(user, caller, proof, at);
    if (password === undefined) throw invalidMember(field, "is missing");
    return proveByPassword(user, caller, { ...proof, password });
  };

  async function proveByPassword(
    user: User,
    caller: Session,
    { password, device, ...request }: Proof & { password: string },
  ): Promise<Proven> {
    const counted = await attempts.count(user, device);
    const attempt = await attempts.recount(counted, user, caller);
    const { isVerified } = await verifyStoredPassword(user, password);
    if (!isVerified) throw new AppError("invalid_credentials", { detail: "The current password is wrong." });
    const claim = await lookAtOtp(user, request);
    // The user was changed meanwhile: all of it has to be looked at anew.
    if (claim && !(await claim())) throw new AppError("unavailable");
    await attempts.succeed(attempt);
    return { passwordHash: user.passwordHash, amr: claim && amrOf.password };
  }

  async function proveByPasskey(
    user: User,
    passkey: AssertionJson,
    { password, otp, idempotencyKey }: Proof,
  ): Promise<Proven> {
    if (!passkeys) throw invalidMember("passkey", "is not known");
    if (password !== undefined || otp) throw invalidMember("passkey", "takes the place of password and otp");
    const asserted = await passkeys.parse(passkey);
    if (asserted.userId !== user.userId) throw invalidPasskey("user handle refused");
    const claim = passkeys.look(user, asserted, nameUse(idempotencyKey));
    if (!(await claim())) throw new AppError("unavailable");
    return { passwordHash: user.passwordHash, amr: amrOfPasskey };
  }

  function proveByLogin(
    user: User,
    caller: Session,
    { password, refreshToken, sessionKey }: Proof,
    at: number,
  ): Proven {
    if (password !== undefined) throw invalidMember(field, "must be left out: the account has none");
    assertFresh(authTimeOf(caller), freshSeconds, at);
    assertMayChangeFactor(user, caller);
    assertCurrentPair(caller, refreshToken);
    assertSessionKey(caller, sessionKey);
    return { passwordHash: undefined, amr: caller.amr, replaced: caller };
  }
}
