import { AppError } from "../errors.ts";

/** Whoever changes something that a copied session must not change has signed in at most so long ago. */
export const freshSeconds = 300;

/**
 * Throws AppError `insufficient_user_authentication` (RFC 9470, section 3) if the user was proven more than `maxAgeSeconds`
 * ago. Times are epoch seconds.
 */
export function assertFresh(authTime: number, maxAgeSeconds: number, now: number): void {
  if (now - authTime <= maxAgeSeconds) return;
  throw new AppError("insufficient_user_authentication", {
    detail: `This needs a login of the last ${maxAgeSeconds} s. Log in again.`,
    headers: {
      "www-authenticate": `Bearer error="insufficient_user_authentication", max_age="${maxAgeSeconds}"`,
    },
  });
}
