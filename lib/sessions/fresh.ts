import { AppError } from "../errors.ts";
import { aal2 } from "./amr.ts";

/** Whoever changes something that a copied session must not change has signed in at most so long ago. */
export const freshSeconds = 300;

/**
 * Throws AppError `insufficient_user_authentication` (RFC 9470, section 3) if the user was proven more than `maxAgeSeconds`
 * ago. Times are epoch seconds.
 */
export function assertFresh(authTime: number, maxAgeSeconds: number, now: number): void {
  if (now - authTime > maxAgeSeconds)
    refuse(`This needs a login of the last ${maxAgeSeconds} s. Log in again.`, `max_age="${maxAgeSeconds}"`);
}

/** Throws AppError `insufficient_user_authentication` (RFC 9470, section 3) if the user was not proven with two factors. */
export function assertTwoFactors(acr: string | undefined): void {
  if (acr !== aal2)
    refuse(
      "This needs a login with a code from your app, or with a passkey. Log in again.",
      `acr_values="${aal2}"`,
    );
}

function refuse(detail: string, wanted: string): never {
  const code = "insufficient_user_authentication";
  throw new AppError(code, { detail, headers: { "www-authenticate": `Bearer error="${code}", ${wanted}` } });
}
