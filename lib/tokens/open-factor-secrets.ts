import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { createFactorSecrets, type FactorSecrets } from "../factors/second-factor.ts";
import { createKeyedHash } from "./keyed-hash.ts";
import { openFactorKeys } from "./open-hash-keys.ts";

/** Opens what derives the secrets of second factors, under the keys that the settings name; they are read when first needed. */
export const openFactorSecrets = (
  config: Config<"factorKeys" | "factorKeysSecret">,
  clock: Clock,
): FactorSecrets => createFactorSecrets(createKeyedHash({ hashKeys: openFactorKeys(config, clock), clock }));
