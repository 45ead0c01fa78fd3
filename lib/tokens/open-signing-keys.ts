import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { createSecretReader } from "../secrets-manager.ts";
import { createStaticKeys, openSecretKeys } from "./key-source.ts";
import { findUnpublishedKids, importSigningKeys, parsePrivateKeySet, type SigningKeys } from "./keys.ts";

/** Opens the signing keys where the settings say they are: a secret, or on one's own machine the environment. */
export async function openSigningKeys(
  config: Config<"jwtSigningKeys" | "jwtSigningKeysSecret" | "jwtPublicKeys">,
  clock: Clock,
): Promise<SigningKeys> {
  const { jwtSigningKeys, jwtSigningKeysSecret, jwtPublicKeys } = config;
  const options = { name: "published signing keys", clock };
  if (jwtSigningKeysSecret === undefined)
    return createStaticKeys(await importSigningKeys(jwtSigningKeys ?? []), options);
  const readSecret = createSecretReader(jwtSigningKeysSecret);
  return openSecretKeys(async () => {
    const jwks = parsePrivateKeySet(await readSecret());
    const unpublished = findUnpublishedKids(jwks, jwtPublicKeys);
    // Nobody could verify what they sign. They become ours with the deployment that publishes them.
    return importSigningKeys(jwks.filter(({ kid }) => !unpublished.includes(kid)));
  }, options);
}
