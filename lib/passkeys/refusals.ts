import { AppError } from "../errors.ts";
import type { RefusalReason } from "../events.ts";
import { PasskeyError } from "./passkey-error.ts";

// Beside what throws them and not in lib/errors.ts: the bundles of other routes hold none of these texts.

/** AppError `invalid_body`: the new passkey is not to be trusted, or is another's. */
export function refusedRegistration(cause?: PasskeyError): AppError {
  const detail = "was refused. Ask for a new challenge and make the passkey again.";
  return new AppError("invalid_body", {
    detail: `passkey ${detail}`,
    errors: [{ pointer: "#/passkey", detail }],
    ...(cause && { reason: cause.reason, cause }),
  });
}

/** Throws `refusedRegistration` for a PasskeyError, and any other error as it is. */
export function refuseRegistration(error: unknown): never {
  throw error instanceof PasskeyError ? refusedRegistration(error) : error;
}

/** AppError `invalid_passkey`: the answer to a challenge is not to be trusted. */
export const invalidPasskey = (reason: RefusalReason, cause?: unknown): AppError =>
  new AppError("invalid_passkey", {
    ...{ detail: "The passkey was refused. Ask for a new challenge and try again.", reason, cause },
  });

/** AppError `unknown_passkey`: it was removed from the account. */
export const unknownPasskey = (): AppError =>
  new AppError("unknown_passkey", {
    detail: "This passkey was removed from the account. Log in in another way.",
    reason: "passkey gone",
  });

/** AppError `too_many_passkeys`. */
export const tooManyPasskeys = (): AppError =>
  new AppError("too_many_passkeys", { detail: "The account has ten passkeys. Remove one of them first." });

/** AppError `last_sign_in_method`: without it nobody could log in any more. */
export const lastSignInMethod = (): AppError =>
  new AppError("last_sign_in_method", {
    detail:
      "Nothing else opens the account. Set a password first (POST /auth/password/forgot), or add another passkey.",
  });

/** AppError `not_found`: the caller does not have it. */
export const noPasskey = (): AppError => new AppError("not_found", { detail: "You have no such passkey." });
