import type { UserStore } from "../../accounts/store.ts";
import type { Clock } from "../../clock.ts";
import {
  createFactorName,
  createTotpUri,
  type FactorSecrets,
  toBase32,
} from "../../factors/second-factor.ts";
import type { Session } from "../../sessions/session.ts";
import { getCurrentUser } from "../current-user.ts";
import { assertMayChangeFactor, assertProven } from "../factor-owner.ts";

interface StartTotpOptions {
  users: Pick<UserStore, "find">;
  secrets: Pick<FactorSecrets, "deriveTotp">;
  clock: Clock;
  /** What apps call the service. */
  appName: string;
  hasMail: boolean;
}

/** What an authenticator app is set up with. */
export interface Enrolment {
  /** Comes back with the first code. */
  enrolment: string;
  /** For typing: base32. */
  secret: string;
  /** For a QR code: `otpauth://…`. */
  uri: string;
}

/** Makes the use case that begins to set up an authenticator app. */
export function createStartTotp({ users, secrets, clock, appName, hasMail }: StartTotpOptions) {
  /**
   * Gives what the app is set up with, and stores nothing: until a code of it comes back, all is as before. Throws AppError
   * `email_unproven`, `insufficient_user_authentication`, `invalid_token`, `unavailable`.
   */
  return async function startTotp(caller: Session): Promise<Enrolment> {
    const now = clock();
    const user = await getCurrentUser(users, caller, now);
    assertMayChangeFactor(user, caller);
    assertProven(user, hasMail);
    const enrolment = createFactorName(now);
    const secret = await secrets.deriveTotp(user.userId, enrolment);
    const uri = createTotpUri(secret, { issuer: appName, email: user.email });
    return { enrolment, secret: toBase32(secret), uri };
  };
}
