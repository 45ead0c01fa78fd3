import { createProvePasskey } from "./auth/prove-passkey.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import type { DynamoDB } from "./dynamodb.ts";
import { note } from "./log.ts";
import { createParseAssertion } from "./passkeys/assertion.ts";
import { openOptionalPasskeys } from "./passkeys/open-passkeys.ts";
import { createClaimPasskey } from "./passkeys/store.ts";
import type { HashKeys } from "./tokens/hash-keys.ts";
import { createKeyedHash } from "./tokens/keyed-hash.ts";

/** Makes, once per sandbox, what proves users by their passkeys; undefined where there are none. */
export function createPasskeyProof(
  config: Config<"issuer" | "allowedOrigins" | "usersTable"> & { passkeyRpId: string | undefined },
  { dynamodb, hashKeys, clock }: { dynamodb: DynamoDB; hashKeys: HashKeys; clock: Clock },
) {
  const passkeys = openOptionalPasskeys(config, createKeyedHash({ hashKeys, clock }));
  if (!passkeys) return undefined;
  return createProvePasskey({
    parseAssertion: createParseAssertion(passkeys),
    claimPasskey: createClaimPasskey(dynamodb, config.usersTable),
    noteSuspect: () => note({ event: "authn_passkey_suspect" }),
    clock,
  });
}
