import { createFactorStore } from "./accounts/factors.ts";
import { createUserStore } from "./accounts/store.ts";
import { systemClock as clock } from "./clock.ts";
import type { Config } from "./config.ts";
import { createDynamoDB } from "./dynamodb.ts";
import { createSessionStore } from "./sessions/store.ts";
import { cookieName, dynamodbSettings, sessionsTable, usersTable } from "./settings.ts";

/** What every function reads that changes the second factor of its caller. */
export const totpSettings = { ...dynamodbSettings, usersTable, sessionsTable, cookieName };

/** Makes, once per sandbox, what every function is made of that changes the second factor of its caller. */
export function createTotpOpening(config: Config<keyof typeof totpSettings>) {
  const dynamodb = createDynamoDB(config);
  return {
    clock,
    users: createUserStore(dynamodb, config.usersTable),
    sessions: createSessionStore(dynamodb, config.sessionsTable),
    factors: createFactorStore(dynamodb, config.usersTable),
  };
}
