import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { DynamoDB } from "../dynamodb.ts";
import type { SigningKeys } from "../tokens/signing-keys.ts";
import { type AttemptLimit, createAttemptLimit } from "./limit.ts";
import { createAttemptStore } from "./store.ts";

/** Opens the limit of password attempts over its table. */
export function openAttemptLimit(
  { attemptsTable }: Config<"attemptsTable">,
  { dynamodb, signingKeys, clock }: { dynamodb: DynamoDB; signingKeys: SigningKeys; clock: Clock },
): AttemptLimit {
  return createAttemptLimit({ attempts: createAttemptStore(dynamodb, attemptsTable), signingKeys, clock });
}
