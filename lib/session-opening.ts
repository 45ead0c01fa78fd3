import { createUserStore } from "./accounts/store.ts";
import { openAttemptLimit } from "./attempts/open-limits.ts";
import { createOpenSession } from "./auth/open-session.ts";
import { systemClock, systemClockMs } from "./clock.ts";
import type { Config } from "./config.ts";
import { createDeviceChallenges } from "./device-binding/challenge.ts";
import { createDynamoDB } from "./dynamodb.ts";
import { createSessionStore } from "./sessions/store.ts";
import {
  attemptsTable,
  cookieSettings,
  deviceBoundSessions,
  dynamodbSettings,
  hashKeySettings,
  issuerSettings,
  lifetimeSettings,
  sessionsTable,
  usersTable,
} from "./settings.ts";
import { createPairIssuer } from "./tokens/issue-pair.ts";
import { createKeyedHash } from "./tokens/keyed-hash.ts";
import { openHashKeys } from "./tokens/open-hash-keys.ts";
import { openSigningKeys } from "./tokens/open-signing-keys.ts";
import { rehearsePair } from "./tokens/rehearsal.ts";

/** What every function that opens sessions reads. */
export const sessionOpeningSettings = {
  ...cookieSettings,
  ...dynamodbSettings,
  ...hashKeySettings,
  ...issuerSettings,
  ...lifetimeSettings,
  usersTable,
  sessionsTable,
  attemptsTable,
  deviceBoundSessions,
};

/**
 * Makes, once per sandbox, what every function that opens sessions is made of: the stores, both sets of keys, the limit of
 * attempts, and the one way to a session.
 */
export async function createSessionOpening(config: Config<keyof typeof sessionOpeningSettings>) {
  const clock = systemClock;
  const dynamodb = createDynamoDB(config);
  const [hashKeys, signingKeys] = await Promise.all([
    openHashKeys(config, clock),
    openSigningKeys(config, clock),
  ]);
  const users = createUserStore(dynamodb, config.usersTable);
  const sessions = createSessionStore(dynamodb, config.sessionsTable);
  const pairs = createPairIssuer(signingKeys, config);
  await rehearsePair(pairs);
  const needs = { dynamodb, hashKeys, clock };
  const challenges =
    config.deviceBoundSessions === "on"
      ? createDeviceChallenges(createKeyedHash(needs), { clockMs: systemClockMs, ...config })
      : undefined;
  return {
    ...{ users, sessions, pairs, needs },
    ...openAttemptLimit(config, needs),
    openSession: createOpenSession({ users, sessions, pairs, challenges, clock, ...config }),
  };
}
