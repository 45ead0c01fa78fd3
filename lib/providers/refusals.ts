import { AppError, type ProblemCode } from "../errors.ts";
import type { RefusalReason } from "../events.ts";
import { ProviderRefusal, ProviderTrouble } from "./provider-error.ts";

/** What each refusal says; the same one again where a repeat meets it. */
const details = {
  sign_in_over: "This sign-in was begun elsewhere, or too long ago. Begin again.",
  sign_in_refused: "The sign-in was refused. Begin again.",
  email_not_verified:
    "The provider does not say that the e-mail address is yours. Have it verified there, or register.",
  email_taken:
    "There is an account with this e-mail address. Log in as before, then link the provider to the account.",
  registration_closed: "Nobody can register here. Ask the operator for an invitation.",
  identity_taken: "This identity opens another account. Nothing was changed.",
  too_many_identities: "The account has ten identities. Remove one of them first.",
  provider_unavailable: "The provider does not answer. Try again in a moment.",
} satisfies Partial<Record<ProblemCode, string>>;

/** A provider that is away needs longer than a table of ours. */
const retryAfterSeconds = 2;

/** What only sign-in with providers refuses with, or in words of its own. */
export type ProviderRefusalCode = keyof typeof details;

/** The refusal with a code. */
export function providerRefusal(
  code: ProviderRefusalCode,
  { reason, cause }: { reason?: RefusalReason; cause?: unknown } = {},
): AppError {
  const headers = code === "provider_unavailable" ? { "retry-after": String(retryAfterSeconds) } : undefined;
  return new AppError(code, {
    detail: details[code],
    ...(reason && { reason }),
    ...(headers && { headers }),
    cause,
  });
}

/** The refusal that ended a flow before; what is not known any more is one that says little. */
export const repeatRefusal = (code: string): AppError =>
  providerRefusal(Object.hasOwn(details, code) ? (code as ProviderRefusalCode) : "sign_in_refused");

/** Turns what a provider did into a refusal: throws AppError `provider_unavailable`, `sign_in_refused`, and anything else as it is. */
export function refuseProvider(error: unknown): never {
  if (error instanceof ProviderTrouble) throw providerRefusal("provider_unavailable", { cause: error });
  if (!(error instanceof ProviderRefusal)) throw error;
  throw providerRefusal("sign_in_refused", { reason: error.reason, cause: error });
}
