import { createInvitations } from "../../lib/accounts/invitations.ts";
import { createUserStore } from "../../lib/accounts/store.ts";
import { createInvite } from "../../lib/auth/admin/invite.ts";
import { systemClock as clock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { adminOnly } from "../../lib/http/admin-only.ts";
import { invitationBody } from "../../lib/http/admin-schemas.ts";
import { api } from "../../lib/http/api.ts";
import { json } from "../../lib/http/response.ts";
import { parseBody } from "../../lib/http/schemas.ts";
import { nameOf } from "../../lib/mail/codes.ts";
import { createRecipients } from "../../lib/mail/recipients.ts";
import { createMailStore } from "../../lib/mail/store.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import {
  dynamodbSettings,
  identitiesTable,
  mailsTable,
  sessionsTable,
  usersTable,
} from "../../lib/settings.ts";
import { transact } from "../../lib/transaction.ts";

const config = readConfig({ ...dynamodbSettings, usersTable, identitiesTable, sessionsTable, mailsTable });
const dynamodb = createDynamoDB(config);
const users = createUserStore(dynamodb, config.usersTable);
const sessions = createSessionStore(dynamodb, config.sessionsTable);
const invite = createInvite({
  recipients: createRecipients(dynamodb, config),
  mails: createMailStore(dynamodb, config.mailsTable),
  invitations: createInvitations(config.identitiesTable),
  write: (items, isDone) => transact(dynamodb, items, { isDone }),
  clock,
});

export const handler = api()
  .use(await adminOnly({ sessions, users }))
  .handler(async ({ by, body }) => {
    const { email, roles, language } = parseBody(invitationBody, body);
    const invited = await invite({ email, roles, language, invitedBy: by.by });
    return json(202, { ...invited, mailId: nameOf(invited.mailId) });
  });
