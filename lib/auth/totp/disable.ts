import { createChange } from "../../accounts/change.ts";
import type { FactorStore } from "../../accounts/factors.ts";
import type { UserStore } from "../../accounts/store.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import type { Client, Session } from "../../sessions/session.ts";
import { assertCurrent } from "../current-user.ts";
import { getFactorOwner } from "../factor-owner.ts";

interface DisableTotpOptions {
  users: Pick<UserStore, "find">;
  factors: Pick<FactorStore, "remove">;
  clock: Clock;
}

/** A switching off as it came in. */
export interface TotpRemoval extends Client {
  requestId: string;
}

/** Makes the use case that switches the second factor off. */
export function createDisableTotp({ users, factors, clock }: DisableTotpOptions) {
  /**
   * Takes the second factor away, with its recovery codes. No session ends. Throws AppError `totp_not_enabled`,
   * `insufficient_user_authentication`, `invalid_token`, `unavailable`.
   */
  return async function disableTotp(caller: Session, { requestId, ...client }: TotpRemoval): Promise<void> {
    const now = clock();
    const { totp } = await getFactorOwner(users, caller, now);
    const change = createChange("totp_removed", { by: "user", client, requestId }, now);
    const outcome = await factors.remove(caller, { seen: totp.enrolment, change });
    if (outcome.written) return;
    assertCurrent(outcome.user, caller, now);
    // Another app was set up meanwhile, or another request was first.
    throw new AppError("unavailable");
  };
}
