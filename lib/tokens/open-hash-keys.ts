import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { createSecretReader } from "../secrets-manager.ts";
import { type HashJwk, type HashKeys, importHashKeys, parseHashKeySet } from "./hash-keys.ts";
import { createStaticKeys, openSecretKeys } from "./key-source.ts";

/** Opens the hash keys where the settings say they are: a secret, or on one's own machine the environment. */
export function openHashKeys(
  { hashKeys, hashKeysSecret }: Config<"hashKeys" | "hashKeysSecret">,
  clock: Clock,
): Promise<HashKeys> {
  return openKeys({ name: "hash keys", clock }, hashKeys, hashKeysSecret);
}

/** Opens the keys that mailed codes and links are made of, where the settings say they are. */
export function openCodeKeys(
  { codeKeys, codeKeysSecret }: Config<"codeKeys" | "codeKeysSecret">,
  clock: Clock,
): Promise<HashKeys> {
  return openKeys({ name: "code keys", clock }, codeKeys, codeKeysSecret);
}

/**
 * Opens the keys that second factors are derived from, where the settings say they are. A secret is read when they are
 * first needed: most sandboxes never see a second factor.
 */
export function openFactorKeys(
  { factorKeys, factorKeysSecret }: Config<"factorKeys" | "factorKeysSecret">,
  clock: Clock,
): HashKeys {
  let opened: Promise<HashKeys> | undefined;
  const open = () => (opened ??= openKeys({ name: "factor keys", clock }, factorKeys, factorKeysSecret));
  return { ready: async () => (await open()).ready(), get: async () => (await open()).get() };
}

async function openKeys(
  options: { name: string; clock: Clock },
  keys: HashJwk[] | undefined,
  secret: string | undefined,
): Promise<HashKeys> {
  if (secret === undefined) return createStaticKeys(importHashKeys(keys ?? []), options);
  const readSecret = createSecretReader(secret);
  return openSecretKeys(async () => importHashKeys(parseHashKeySet(await readSecret())), options);
}
