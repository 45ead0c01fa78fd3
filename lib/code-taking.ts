import { createProveCode } from "./auth/prove-code.ts";
import { systemClock } from "./clock.ts";
import type { Config } from "./config.ts";
import { createDynamoDB, type DynamoDB } from "./dynamodb.ts";
import { createChallenges, createCodes } from "./mail/codes.ts";
import { createMailStore } from "./mail/store.ts";
import { codeKeySettings, dynamodbSettings, hashKeySettings, mailsTable } from "./settings.ts";
import type { HashKeys } from "./tokens/hash-keys.ts";
import { createKeyedHash } from "./tokens/keyed-hash.ts";
import { openCodeKeys, openHashKeys } from "./tokens/open-hash-keys.ts";

/** What every function that takes a mailed code reads. */
export const codeTakingSettings = { ...dynamodbSettings, ...hashKeySettings, ...codeKeySettings, mailsTable };

/**
 * Makes, once per sandbox, what every function that takes a mailed code is made of; of a function that opens sessions, too,
 * with what it has made for that.
 */
export async function createCodeTaking(
  config: Config<keyof typeof codeTakingSettings>,
  made: { dynamodb?: DynamoDB; hashKeys?: HashKeys } = {},
) {
  const clock = systemClock;
  const { dynamodb = createDynamoDB(config) } = made;
  const [hashKeys, codeKeys] = await Promise.all([
    made.hashKeys ?? openHashKeys(config, clock),
    openCodeKeys(config, clock),
  ]);
  const keyedHash = createKeyedHash({ hashKeys, clock });
  const mails = createMailStore(dynamodb, config.mailsTable);
  const codes = createCodes(createKeyedHash({ hashKeys: codeKeys, clock }));
  const challenges = createChallenges(keyedHash);
  return {
    ...{ dynamodb, keyedHash, mails, codes, needs: { dynamodb, hashKeys, clock } },
    proveCode: createProveCode({ mails, challenges, codes, clock }),
  };
}
