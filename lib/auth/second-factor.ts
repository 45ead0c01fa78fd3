import { type Change, createChange } from "../accounts/change.ts";
import type { FactorStore, OtpUse } from "../accounts/factors.ts";
import type { User } from "../accounts/store.ts";
import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import { invalidOtp, type Otp } from "../factors/otp.ts";
import { type FactorSecrets, isSameCode, listSteps } from "../factors/second-factor.ts";
import type { Client } from "../sessions/session.ts";
import type { NameUse } from "./name-use.ts";

interface SecondFactorOptions {
  factors: Pick<FactorStore, "claim">;
  secrets: FactorSecrets;
  nameUse: NameUse;
  clock: Clock;
  /** Told that it was a recovery code. */
  noteRecovery: () => void;
}

/** A request as far as it proves a second factor. */
export interface OtpRequest extends Client {
  otp?: Otp | undefined;
  /** Of a client whose answer was lost: the same request may come again. */
  idempotencyKey: string | undefined;
  requestId: string;
  /** The request proves the address of the account, too, for the first time. */
  provesEmail?: boolean;
}

/**
 * Uses a code up. False if the user is not as it was read: look again. Throws AppError `invalid_otp` for one that somebody
 * else has used, `unavailable`.
 */
export type ClaimOtp = () => Promise<boolean>;

/** The second factor of accounts that have one. */
export type SecondFactor = ReturnType<typeof createSecondFactor>;

/** Makes what looks at the code of a second factor. Nothing is written before all else is proven: nobody else can use it up. */
export function createSecondFactor({ factors, secrets, nameUse, clock, noteRecovery }: SecondFactorOptions) {
  async function findTotp(user: User, code: string, by: string): Promise<OtpUse | "used" | undefined> {
    const { userId, totp } = user;
    if (!totp) return undefined;
    const steps = listSteps(await secrets.deriveTotp(userId, totp.enrolment), code, clock());
    // The digits of two neighbouring steps may be the same.
    const step = steps.find((each) => each > totp.step || (each === totp.step && by === totp.usedBy));
    if (step !== undefined) return { is: "totp", enrolment: totp.enrolment, step };
    return steps.length > 0 ? "used" : undefined;
  }

  async function findRecovery(
    { userId, recovery }: User,
    code: string,
    by: string,
  ): Promise<OtpUse | "used" | undefined> {
    if (!recovery) return undefined;
    const codes = await secrets.deriveRecoveryCodes(userId, recovery.seriesId);
    // All of them are compared, however early one fits.
    const [place] = codes.flatMap((genuine, index) => (isSameCode(genuine, code) ? [`c${index}`] : []));
    if (place === undefined) return undefined;
    if ((recovery.used[place] ?? by) !== by) return "used";
    return { is: "recovery", seriesId: recovery.seriesId, place };
  }

  /** The change that a claim is, if it is one. */
  function findChange(
    { is }: OtpUse,
    { provesEmail, requestId, ip, userAgent }: OtpRequest,
    now: number,
  ): Change | undefined {
    const source = { client: { ip, userAgent }, requestId };
    if (is === "recovery") return createChange("recovery_code_used", { by: "user", ...source }, now);
    return provesEmail ? createChange("user_updated", { by: "code", ...source }, now) : undefined;
  }

  /**
   * Looks at the code that came, once the rest is proven. Gives what uses it up; undefined where the account has no second
   * factor. Throws AppError `second_factor_required`, `invalid_otp`, `unavailable`.
   */
  return async function lookAtOtp(user: User, request: OtpRequest): Promise<ClaimOtp | undefined> {
    if (!user.totp) return undefined;
    const { otp, idempotencyKey, provesEmail = false } = request;
    if (!otp) throw requiredOtp();
    const by = nameUse(idempotencyKey);
    const find = otp.is === "totp" ? findTotp : findRecovery;
    const use = await find(user, otp.code, by);
    if (!use) throw invalidOtp();
    if (use === "used") throw usedOtp();
    return async () => {
      const now = clock();
      const change = findChange(use, request, now);
      const outcome = await factors.claim(user, use, { by, now, change, provesEmail });
      if (outcome === "used") throw usedOtp();
      if (outcome === "claimed" && use.is === "recovery") noteRecovery();
      return outcome === "claimed";
    };
  };
}

const requiredOtp = (): AppError =>
  new AppError("second_factor_required", {
    detail: "This login also needs a code: from the authenticator app, or a recovery code. Send it as otp.",
  });

const usedOtp = (): AppError =>
  invalidOtp("This code was used before. Your app shows a new one every 30 seconds.");
