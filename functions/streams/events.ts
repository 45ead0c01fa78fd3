import { createPublish } from "../../lib/audit/event-bus.ts";
import { createAuditStore } from "../../lib/audit/store.ts";
import { createTellChange } from "../../lib/audit/tell-change.ts";
import { systemClock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { createOutbox } from "../../lib/mail/outbox.ts";
import {
  auditDays,
  auditTable,
  dynamodbSettings,
  eventBusName,
  mailLanguages,
  mailsTable,
} from "../../lib/settings.ts";
import { createStreamHandler } from "../../lib/stream.ts";

const config = readConfig({
  ...dynamodbSettings,
  auditTable,
  auditDays,
  mailsTable,
  mailLanguages,
  eventBusName,
});
const dynamodb = createDynamoDB(config);

export const handler = createStreamHandler(
  "a change that was not told",
  createTellChange({
    ...config,
    audit: createAuditStore(dynamodb, config.auditTable),
    mails: createOutbox(dynamodb, config.mailsTable),
    publish: config.eventBusName === undefined ? undefined : createPublish(config.eventBusName),
    languages: config.mailLanguages,
    clock: systemClock,
  }),
);
