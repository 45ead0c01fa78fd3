import { createMailLimit } from "./attempts/mail-limit.ts";
import { openSourceLimit } from "./attempts/open-limits.ts";
import { createAttemptStore } from "./attempts/store.ts";
import { createAsk } from "./auth/ask.ts";
import { systemClock } from "./clock.ts";
import type { Config } from "./config.ts";
import { createDynamoDB } from "./dynamodb.ts";
import { createChallenges } from "./mail/codes.ts";
import { createOutbox } from "./mail/outbox.ts";
import {
  attemptsTable,
  dynamodbSettings,
  hashKeySettings,
  mailLanguages,
  mailLimitPerSourcePerHour,
  mailsTable,
} from "./settings.ts";
import { createKeyedHash } from "./tokens/keyed-hash.ts";
import { openHashKeys } from "./tokens/open-hash-keys.ts";

/** What every function that mails a code reads. */
export const codeAskingSettings = {
  ...dynamodbSettings,
  ...hashKeySettings,
  attemptsTable,
  mailsTable,
  mailLanguages,
  mailLimitPerSourcePerHour,
};

/** Makes, once per sandbox, what every function that mails a code is made of. */
export async function createCodeAsking(config: Config<keyof typeof codeAskingSettings>) {
  const clock = systemClock;
  const hashKeys = await openHashKeys(config, clock);
  const dynamodb = createDynamoDB(config);
  const keyedHash = createKeyedHash({ hashKeys, clock });
  const attempts = createAttemptStore(dynamodb, config.attemptsTable);
  const limit = config.mailLimitPerSourcePerHour;
  const needs = { dynamodb, hashKeys, clock };
  const sources = openSourceLimit(config, needs, { what: "mails", limit, windowSeconds: 3_600 });
  const ask = createAsk({
    mails: createOutbox(dynamodb, config.mailsTable),
    mailLimit: createMailLimit({ attempts, keyedHash, clock }),
    challenges: createChallenges(keyedHash),
    languages: config.mailLanguages,
    clock,
  });
  return { keyedHash, needs, sources, ask };
}
