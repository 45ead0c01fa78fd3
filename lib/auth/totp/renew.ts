import { createChange } from "../../accounts/change.ts";
import type { FactorStore } from "../../accounts/factors.ts";
import type { UserStore } from "../../accounts/store.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import { createFactorName, type FactorSecrets, formatRecoveryCode } from "../../factors/second-factor.ts";
import type { Client, Session } from "../../sessions/session.ts";
import { assertCurrent } from "../current-user.ts";
import { getFactorOwner } from "../factor-owner.ts";

interface RenewOptions {
  users: Pick<UserStore, "find">;
  factors: Pick<FactorStore, "setRecovery">;
  secrets: Pick<FactorSecrets, "deriveRecoveryCodes">;
  clock: Clock;
}

/** A wish for new recovery codes as it came in. */
export interface RecoveryRenewal extends Client {
  requestId: string;
}

/** Makes the use case that gives new recovery codes: those of before are void. */
export function createRenewRecoveryCodes({ users, factors, secrets, clock }: RenewOptions) {
  /**
   * Makes a new series and gives its codes. Of two requests at once one makes it, and both are given it. Throws AppError
   * `totp_not_enabled`, `insufficient_user_authentication`, `invalid_token`, `unavailable`.
   */
  return async function renewRecoveryCodes(
    caller: Session,
    { requestId, ...client }: RecoveryRenewal,
  ): Promise<string[]> {
    const now = clock();
    const { userId, totp, recovery } = await getFactorOwner(users, caller, now);
    const seriesId = createFactorName(now);
    const outcome = await factors.setRecovery(
      caller,
      { seriesId, used: {}, createdAt: now },
      {
        enrolment: totp.enrolment,
        seen: recovery?.seriesId,
        change: createChange("recovery_codes_made", { by: "user", client, requestId }, now),
      },
    );
    if (!outcome.written) assertCurrent(outcome.user, caller, now);
    const valid = outcome.written ? seriesId : outcome.user?.recovery?.seriesId;
    // Another app was set up meanwhile, or the factor switched off.
    if (valid === undefined || (!outcome.written && outcome.user?.totp?.enrolment !== totp.enrolment))
      throw new AppError("unavailable");
    return (await secrets.deriveRecoveryCodes(userId, valid)).map(formatRecoveryCode);
  };
}
