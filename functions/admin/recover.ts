import { createOperations } from "../../lib/accounts/operations.ts";
import { createUserStore } from "../../lib/accounts/store.ts";
import { createRecover } from "../../lib/auth/admin/recover.ts";
import { systemClock as clock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { adminOnly, assertFound } from "../../lib/http/admin-only.ts";
import { recoveryBeginBody } from "../../lib/http/admin-schemas.ts";
import { api } from "../../lib/http/api.ts";
import { json } from "../../lib/http/response.ts";
import { parseBody } from "../../lib/http/schemas.ts";
import { nameOf } from "../../lib/mail/codes.ts";
import { languages } from "../../lib/mail/language.ts";
import { createMailStore } from "../../lib/mail/store.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import { dynamodbSettings, mailsTable, sessionsTable, usersTable } from "../../lib/settings.ts";

const config = readConfig({ ...dynamodbSettings, usersTable, sessionsTable, mailsTable });
const dynamodb = createDynamoDB(config);
const users = createUserStore(dynamodb, config.usersTable);
const sessions = createSessionStore(dynamodb, config.sessionsTable);
const recover = createRecover({
  ...{ users, sessions, languages, clock },
  operations: createOperations(dynamodb, config.usersTable),
  mails: createMailStore(dynamodb, config.mailsTable),
});

export const handler = api()
  .use(await adminOnly({ sessions, users }))
  .handler(async ({ target, by, body = {} }) => {
    const { now } = parseBody(recoveryBeginBody, body);
    const user = assertFound(await users.find(target));
    const { mailId, validUntil } = assertFound(await recover({ user, now, by }));
    return json(202, { mailId: nameOf(mailId), validUntil });
  });
