import { systemClockMs } from "../clock.ts";
import type { Config } from "../config.ts";
import { allowedOrigins, appName, issuer, passkeyRpId } from "../settings.ts";
import type { KeyedHash } from "../tokens/keyed-hash.ts";
import { createPasskeyChallenges } from "./challenge.ts";

/** What the ceremonies of passkeys read. */
export const passkeySettings = { passkeyRpId, issuer, allowedOrigins };
/** What those that make passkeys read beside it. */
export const newPasskeySettings = { ...passkeySettings, appName };

/** Makes, once per sandbox, what both ceremonies of passkeys are checked by. */
export function openPasskeys(
  { passkeyRpId: rpId, issuer, allowedOrigins }: Config<keyof typeof passkeySettings>,
  keyedHash: KeyedHash,
) {
  const challenges = createPasskeyChallenges(keyedHash, systemClockMs);
  const origins = [new URL(issuer).origin, ...allowedOrigins];
  return { rpId, origins, challenges };
}

/** What the dialogs of browsers call the application. */
export const nameRelyingParty = ({ appName, issuer }: Config<"appName" | "issuer">): string =>
  appName ?? new URL(issuer).host;
