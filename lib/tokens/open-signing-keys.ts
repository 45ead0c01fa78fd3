import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { createSecretReader } from "../secrets-manager.ts";
import { createSecretSigningKeys, createStaticSigningKeys, type SigningKeys } from "./signing-keys.ts";

/** Opens the signing keys where the settings say they are: a secret, or on one's own machine the environment. */
export async function openSigningKeys(
  config: Config<"jwtSigningKeys" | "jwtSigningKeysSecret" | "jwtPublicKeys">,
  clock: Clock,
): Promise<SigningKeys> {
  const { jwtSigningKeys, jwtSigningKeysSecret, jwtPublicKeys } = config;
  if (jwtSigningKeysSecret === undefined) {
    return createStaticSigningKeys(jwtSigningKeys ?? [], clock);
  }
  return createSecretSigningKeys({
    readSecret: createSecretReader(jwtSigningKeysSecret),
    published: jwtPublicKeys,
    clock,
  });
}
