import { systemClockMs } from "../clock.ts";
import type { Config } from "../config.ts";
import { allowedOrigins, issuer, passkeyRpId } from "../settings.ts";
import type { KeyedHash } from "../tokens/keyed-hash.ts";
import { createPasskeyChallenges } from "./challenge.ts";

/** What the ceremonies of passkeys read. */
export const passkeySettings = { passkeyRpId, issuer, allowedOrigins };

/** Makes, once per sandbox, what both ceremonies of passkeys are checked by. */
export function openPasskeys(
  { passkeyRpId: rpId, issuer, allowedOrigins }: Config<keyof typeof passkeySettings>,
  keyedHash: KeyedHash,
) {
  const challenges = createPasskeyChallenges(keyedHash, systemClockMs);
  const origins = [new URL(issuer).origin, ...allowedOrigins];
  return { rpId, origins, challenges };
}
