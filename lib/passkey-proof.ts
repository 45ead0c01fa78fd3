import { createProvePasskey } from "./auth/prove-passkey.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import type { DynamoDB } from "./dynamodb.ts";
import { note } from "./log.ts";
import { createParseAssertion } from "./passkeys/assertion.ts";
import { openPasskeys, passkeySettings } from "./passkeys/open-passkeys.ts";
import { createClaimPasskey } from "./passkeys/store.ts";
import { ifSet, passkeyRpId } from "./settings.ts";
import type { HashKeys } from "./tokens/hash-keys.ts";
import { createKeyedHash } from "./tokens/keyed-hash.ts";

/** What a function reads to prove users by their passkeys. */
export const passkeyProofSettings = { ...passkeySettings, passkeyRpId: ifSet(passkeyRpId) };

/** Makes, once per sandbox, what proves users by their passkeys; undefined where there are none. */
export function createPasskeyProof(
  config: Config<"issuer" | "allowedOrigins" | "usersTable"> & { passkeyRpId: string | undefined },
  { dynamodb, hashKeys, clock }: { dynamodb: DynamoDB; hashKeys: HashKeys; clock: Clock },
) {
  const { passkeyRpId, usersTable } = config;
  if (passkeyRpId === undefined) return undefined;
  const keyedHash = createKeyedHash({ hashKeys, clock });
  return createProvePasskey({
    parseAssertion: createParseAssertion(openPasskeys({ ...config, passkeyRpId }, keyedHash)),
    claimPasskey: createClaimPasskey(dynamodb, usersTable),
    noteSuspect: () => note({ event: "authn_passkey_suspect" }),
    clock,
  });
}
