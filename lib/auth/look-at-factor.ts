import type { User } from "../accounts/store.ts";
import type { Attempt, AttemptLimit } from "../attempts/account-limit.ts";
import { AppError } from "../errors.ts";
import type { ClaimOtp, OtpRequest, SecondFactor } from "./second-factor.ts";
import type { TellFactorRefused } from "./tell-factor-refused.ts";

interface LookAtFactorOptions {
  attempts: AttemptLimit;
  lookAtOtp: SecondFactor;
  /** Undefined where nobody is told. */
  tellFactorRefused: TellFactorRefused | undefined;
}

/** A login as far as it proves a second factor. */
interface FactorRequest extends OtpRequest {
  /** What the client keeps of earlier logins (lib/attempts/known-devices.ts). */
  device?: string | undefined;
}

/** A code that is right, and not used up yet. */
export interface LookedAtFactor {
  claim: ClaimOtp;
  /** Forgets the attempts before, once the login has succeeded. */
  succeed: () => Promise<void>;
}

/** The first attempt of an honest user has no code, and the second may be mistyped. */
const toldAttempts = 3;

/** Makes what tells the owner of wrong codes at a login whose first factor was right; it throws the refusal in any case. */
export function createTellRefusal(tellFactorRefused: TellFactorRefused | undefined) {
  return async function tellRefusal(
    error: unknown,
    { count }: Pick<Attempt, "count">,
    user: User,
    request: OtpRequest,
  ): Promise<never> {
    const isWrong = error instanceof AppError && error.code === "invalid_otp";
    if (isWrong && count >= toldAttempts) await tellFactorRefused?.(user, request);
    throw error;
  };
}

/** Makes what looks at the second factor at a login without a password: a code is counted as a password is. */
export function createLookAtFactor({ attempts, lookAtOtp, tellFactorRefused }: LookAtFactorOptions) {
  const tellRefusal = createTellRefusal(tellFactorRefused);

  /**
   * Looks at the code; undefined where the account has no second factor. Throws AppError `too_many_attempts`,
   * `second_factor_required`, `invalid_otp`, `unavailable`.
   */
  return async function lookAtFactor(
    user: User,
    request: FactorRequest,
  ): Promise<LookedAtFactor | undefined> {
    const counted = await attempts.count(user, request.device);
    const attempt = await attempts.recount(counted, user);
    const claim = await lookAtOtp(user, request).catch((error: unknown) =>
      tellRefusal(error, attempt, user, request),
    );
    return claim && { claim, succeed: async () => (attempt.device ? undefined : attempts.succeed(attempt)) };
  };
}
