import { systemClockMs } from "../clock.ts";
import type { Config } from "../config.ts";
import { allowedOrigins, ifSet, issuer, passkeyRpId } from "../settings.ts";
import type { KeyedHash } from "../tokens/keyed-hash.ts";
import { createPasskeyChallenges } from "./challenge.ts";

/** What the ceremonies of passkeys read. */
export const passkeySettings = { passkeyRpId, issuer, allowedOrigins };

/** The same of a function that is there without passkeys, too. */
export const optionalPasskeySettings = { ...passkeySettings, passkeyRpId: ifSet(passkeyRpId) };

/** Makes, once per sandbox, what both ceremonies of passkeys are checked by. */
export function openPasskeys(
  { passkeyRpId: rpId, issuer, allowedOrigins }: Config<keyof typeof passkeySettings>,
  keyedHash: KeyedHash,
) {
  const challenges = createPasskeyChallenges(keyedHash, systemClockMs);
  const origins = [new URL(issuer).origin, ...allowedOrigins];
  return { rpId, origins, challenges };
}

/** The same, or undefined where there are no passkeys. */
export function openOptionalPasskeys(
  { passkeyRpId, ...config }: Config<"issuer" | "allowedOrigins"> & { passkeyRpId: string | undefined },
  keyedHash: KeyedHash,
) {
  return passkeyRpId === undefined ? undefined : openPasskeys({ ...config, passkeyRpId }, keyedHash);
}
