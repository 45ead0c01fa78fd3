import { createMailLimit } from "../../lib/attempts/mail-limit.ts";
import { createAttemptStore } from "../../lib/attempts/store.ts";
import { systemClock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { logMail } from "../../lib/log.ts";
import { createCodes } from "../../lib/mail/codes.ts";
import { createDeliver } from "../../lib/mail/deliver.ts";
import { createRecipients } from "../../lib/mail/recipients.ts";
import { createSender } from "../../lib/mail/sender.ts";
import { createMailStore } from "../../lib/mail/store.ts";
import {
  attemptsTable,
  codeKeySettings,
  dynamodbSettings,
  hashKeySettings,
  identitiesTable,
  mailsTable,
  originSettings,
  senderSettings,
  usersTable,
} from "../../lib/settings.ts";
import { createStreamHandler, readNewImage } from "../../lib/stream.ts";
import { createKeyedHash } from "../../lib/tokens/keyed-hash.ts";
import { openCodeKeys, openHashKeys } from "../../lib/tokens/open-hash-keys.ts";

const config = readConfig({
  ...dynamodbSettings,
  ...codeKeySettings,
  ...hashKeySettings,
  ...senderSettings,
  ...originSettings, // where links may lead is checked at the start
  mailsTable,
  attemptsTable,
  identitiesTable,
  usersTable,
});
const { stage, mailLink, appName = new URL(mailLink).host } = config;
const clock = systemClock;
const [codeKeys, hashKeys] = await Promise.all([openCodeKeys(config, clock), openHashKeys(config, clock)]);
const dynamodb = createDynamoDB(config);
const deliver = createDeliver({
  mails: createMailStore(dynamodb, config.mailsTable),
  mailLimit: createMailLimit({
    attempts: createAttemptStore(dynamodb, config.attemptsTable),
    keyedHash: createKeyedHash({ hashKeys, clock }),
    clock,
  }),
  recipients: createRecipients(dynamodb, config),
  codes: createCodes(createKeyedHash({ hashKeys: codeKeys, clock })),
  send: createSender({ ...config, appName }),
  report: (outcome) => logMail(stage, outcome),
  ...{ mailLink, appName, clock },
});

export const handler = createStreamHandler("mail", (record) => deliver(readNewImage(record)));
