import type { Config } from "./config.ts";
import type { DynamoDB } from "./dynamodb.ts";
import { note } from "./log.ts";
import { createParseAssertion } from "./passkeys/assertion.ts";
import { openPasskeys, passkeySettings } from "./passkeys/open-passkeys.ts";
import { createClaimPasskey } from "./passkeys/store.ts";
import { ifSet, passkeyRpId } from "./settings.ts";
import type { KeyedHash } from "./tokens/keyed-hash.ts";

/** What a login reads to take passkeys. */
export const passkeyLoginSettings = { ...passkeySettings, passkeyRpId: ifSet(passkeyRpId) };

/** Makes, once per sandbox, what a login with a passkey is made of; undefined where there are none. */
export function createPasskeyLoginOpening(
  config: Config<"issuer" | "allowedOrigins" | "usersTable"> & { passkeyRpId: string | undefined },
  { dynamodb, keyedHash }: { dynamodb: DynamoDB; keyedHash: KeyedHash },
) {
  const { passkeyRpId, usersTable } = config;
  if (passkeyRpId === undefined) return undefined;
  return {
    parseAssertion: createParseAssertion(openPasskeys({ ...config, passkeyRpId }, keyedHash)),
    claimPasskey: createClaimPasskey(dynamodb, usersTable),
    noteSuspect: () => note({ event: "authn_passkey_suspect" }),
  };
}
