import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { DynamoDB } from "../dynamodb.ts";
import type { HashKeys } from "../tokens/hash-keys.ts";
import { createKeyedHash } from "../tokens/keyed-hash.ts";
import { createAttemptLimit } from "./account-limit.ts";
import { createDevices } from "./known-devices.ts";
import { createSourceLimit, type SourceLimitRule } from "./source-limit.ts";
import { createAttemptStore } from "./store.ts";

interface Needs {
  dynamodb: DynamoDB;
  hashKeys: HashKeys;
  clock: Clock;
}

/** Opens the limits of attempts over their table: per account, and the devices that are counted by themselves. */
export function openAttemptLimit(
  { attemptsTable }: Config<"attemptsTable">,
  { dynamodb, hashKeys, clock }: Needs,
) {
  const attempts = createAttemptStore(dynamodb, attemptsTable);
  const keyedHash = createKeyedHash({ hashKeys, clock });
  const devices = createDevices(keyedHash, clock);
  return { devices, attempts: createAttemptLimit({ attempts, keyedHash, devices, clock }) };
}

/** Opens a limit of requests per source address over the table of attempts. */
export function openSourceLimit(
  { attemptsTable }: Config<"attemptsTable">,
  { dynamodb, hashKeys, clock }: Needs,
  rule: SourceLimitRule,
) {
  const attempts = createAttemptStore(dynamodb, attemptsTable);
  return createSourceLimit({ attempts, keyedHash: createKeyedHash({ hashKeys, clock }), clock, ...rule });
}
