import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { createSecretReader } from "../secrets-manager.ts";
import { type HashKeys, importHashKeys, parseHashKeySet } from "./hash-keys.ts";
import { createSecretKeys, createStaticKeys } from "./key-source.ts";

/** Opens the hash keys where the settings say they are: a secret, or on one's own machine the environment. */
export function openHashKeys(
  { hashKeys, hashKeysSecret }: Config<"hashKeys" | "hashKeysSecret">,
  clock: Clock,
): HashKeys {
  const options = { name: "hash keys", clock };
  if (hashKeysSecret === undefined) return createStaticKeys(importHashKeys(hashKeys ?? []), options);
  const readSecret = createSecretReader(hashKeysSecret);
  return createSecretKeys(async () => importHashKeys(parseHashKeySet(await readSecret())), options);
}
