import { createChange } from "../../accounts/change.ts";
import type { FactorStore } from "../../accounts/factors.ts";
import type { User, UserStore } from "../../accounts/store.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import { invalidOtp } from "../../factors/otp.ts";
import {
  type FactorSecrets,
  findMadeAt,
  formatRecoveryCode,
  listSteps,
  stepSeconds,
} from "../../factors/second-factor.ts";
import type { Client, Session } from "../../sessions/session.ts";
import { assertCurrent, getCurrentUser } from "../current-user.ts";
import { assertMayChangeFactor, assertProven } from "../factor-owner.ts";

interface ConfirmTotpOptions {
  users: Pick<UserStore, "find">;
  factors: Pick<FactorStore, "set">;
  secrets: FactorSecrets;
  clock: Clock;
  hasMail: boolean;
}

/** A confirmation as it came in. */
export interface TotpConfirmation extends Client {
  enrolment: string;
  /** Six digits. */
  code: string;
  requestId: string;
}

/** For so long an app can be set up. */
const enrolmentSeconds = 600;
/** Another sandbox's clock may be so much ahead. */
const skewSeconds = 5;

/** Makes the use case that sets up an authenticator app with its first code. */
export function createConfirmTotp({ users, factors, secrets, clock, hasMail }: ConfirmTotpOptions) {
  /**
   * Sets the second factor up, in place of one that is there, and gives the recovery codes: the same ones when the same
   * request comes again. No session ends. Throws AppError `invalid_body`, `invalid_otp`, `email_unproven`,
   * `insufficient_user_authentication`, `invalid_token`, `unavailable`.
   */
  return async function confirmTotp(
    caller: Session,
    { enrolment, code, requestId, ...client }: TotpConfirmation,
  ): Promise<string[]> {
    const now = clock();
    assertUnderWay(enrolment, now);
    const user = await getCurrentUser(users, caller, now);
    const { userId } = user;
    const secret = await secrets.deriveTotp(userId, enrolment);
    const steps = listSteps(secret, code, now);
    if (isOf(user, enrolment)) return repeat(user);
    assertMayChangeFactor(user, caller);
    assertProven(user, hasMail);
    // The later of two: what confirms opens nothing else.
    const step = steps.at(-1);
    if (step === undefined) throw wrongCode();
    const outcome = await factors.set(
      caller,
      {
        totp: { enrolment, step, confirmedAt: now },
        recovery: { seriesId: enrolment, used: {}, createdAt: now },
      },
      {
        seen: user.totp?.enrolment,
        change: createChange("totp_added", { by: "user", client, requestId }, now),
      },
    );
    if (outcome.written) return listRecoveryCodes();
    const { user: found } = outcome;
    assertCurrent(found, caller, now);
    if (isOf(found, enrolment)) return repeat(found);
    assertMayChangeFactor(found, caller);
    throw new AppError("unavailable");

    /** The same confirmation again, whose answer was lost; the code is that of then, if it is not one of now. */
    function repeat({ totp, recovery }: User): Promise<string[]> {
      const isRight =
        steps.length > 0 ||
        listSteps(secret, code, (totp?.step ?? 0) * stepSeconds).includes(totp?.step ?? 0);
      if (!isRight || recovery?.seriesId !== enrolment) throw wrongCode();
      return listRecoveryCodes();
    }

    async function listRecoveryCodes(): Promise<string[]> {
      return (await secrets.deriveRecoveryCodes(userId, enrolment)).map(formatRecoveryCode);
    }
  };
}

/** No recovery code counts here. */
const wrongCode = (): AppError => invalidOtp("This code is wrong. Use the one that your app shows now.");

const isOf = ({ totp }: User, enrolment: string): boolean => totp?.enrolment === enrolment;

/** A made-up one only makes a secret that nobody knows. */
function assertUnderWay(enrolment: string, now: number): void {
  const madeAt = findMadeAt(enrolment) ?? 0;
  if (madeAt > now - enrolmentSeconds && madeAt <= now + skewSeconds) return;
  const detail = "is too old, or none of ours: begin again with POST /auth/totp";
  throw new AppError("invalid_body", {
    detail: `enrolment ${detail}`,
    errors: [{ pointer: "#/enrolment", detail }],
  });
}
