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
  codeKeySettings,
  dynamodbSettings,
  identitiesTable,
  mailsTable,
  originSettings,
  senderSettings,
  usersTable,
} from "../../lib/settings.ts";
import { createStreamHandler, readNewImage } from "../../lib/stream.ts";
import { createKeyedHash } from "../../lib/tokens/keyed-hash.ts";
import { openCodeKeys } from "../../lib/tokens/open-hash-keys.ts";

const config = readConfig({
  ...dynamodbSettings,
  ...codeKeySettings,
  ...senderSettings,
  ...originSettings, // where links may lead is checked at the start
  mailsTable,
  identitiesTable,
  usersTable,
});
const { stage, mailLink, appName = new URL(mailLink).host } = config;
const clock = systemClock;
const hashKeys = openCodeKeys(config, clock);
const dynamodb = createDynamoDB(config);
const deliver = createDeliver({
  mails: createMailStore(dynamodb, config.mailsTable),
  recipients: createRecipients(dynamodb, config),
  codes: createCodes(createKeyedHash({ hashKeys, clock })),
  send: createSender({ ...config, appName }),
  report: (outcome) => logMail(stage, outcome),
  ...{ mailLink, appName, clock },
});

export const handler = createStreamHandler("mail", (record) => deliver(readNewImage(record)));
