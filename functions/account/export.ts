import { createIdentityStore } from "../../lib/accounts/identities.ts";
import { createUserStore } from "../../lib/accounts/store.ts";
import { createAuditStore } from "../../lib/audit/store.ts";
import { createExportAccount } from "../../lib/auth/account/export.ts";
import { systemClock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { readOnlyApi } from "../../lib/http/read-only-api.ts";
import { json } from "../../lib/http/response.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import {
  auditTable,
  dynamodbSettings,
  identitiesTable,
  ifSet,
  sessionsNotBefore,
  sessionsTable,
  usersTable,
} from "../../lib/settings.ts";

const config = readConfig({
  ...{ ...dynamodbSettings, usersTable, identitiesTable, sessionsTable, sessionsNotBefore },
  auditTable: ifSet(auditTable),
});
const dynamodb = createDynamoDB(config);
const sessions = createSessionStore(dynamodb, config.sessionsTable);
const exportAccount = createExportAccount({
  users: createUserStore(dynamodb, config.usersTable),
  sessions,
  identities: createIdentityStore(dynamodb, config.identitiesTable),
  audit: config.auditTable === undefined ? undefined : createAuditStore(dynamodb, config.auditTable),
  clock: systemClock,
  ...config,
});

export const handler = readOnlyApi()
  .use(await authenticate({ live: sessions }))
  .handler(async ({ session }) => json(200, await exportAccount(session)));
