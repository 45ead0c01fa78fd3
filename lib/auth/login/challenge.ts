import type { PasskeyChallenges } from "../../passkeys/challenge.ts";
import { createRequestOptions } from "../../passkeys/options.ts";

interface BeginPasskeyLoginOptions {
  challenges: Pick<PasskeyChallenges, "create">;
  rpId: string;
}

/** Makes the use case that begins a sign-in with a passkey. */
export function createBeginPasskeyLogin({ challenges, rpId }: BeginPasskeyLoginOptions) {
  /** Gives what the browser signs in by; it names nobody. Throws AppError `unavailable`. */
  return async function beginPasskeyLogin() {
    return createRequestOptions(rpId, await challenges.create("get"));
  };
}
