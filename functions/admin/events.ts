import { createUserStore } from "../../lib/accounts/store.ts";
import { createAuditStore } from "../../lib/audit/store.ts";
import { createListEvents } from "../../lib/auth/admin/events.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { adminOnly, assertFound } from "../../lib/http/admin-only.ts";
import { parseQuery } from "../../lib/http/query.ts";
import { readOnlyApi } from "../../lib/http/read-only-api.ts";
import { json } from "../../lib/http/response.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import { auditTable, dynamodbSettings, sessionsTable, usersTable } from "../../lib/settings.ts";

const config = readConfig({ ...dynamodbSettings, usersTable, sessionsTable, auditTable });
const dynamodb = createDynamoDB(config);
const users = createUserStore(dynamodb, config.usersTable);
const sessions = createSessionStore(dynamodb, config.sessionsTable);
const listEvents = createListEvents({ users, audit: createAuditStore(dynamodb, config.auditTable) });

export const handler = readOnlyApi()
  .use(await adminOnly({ sessions, users }))
  .handler(async ({ target, ...event }) => {
    const { cursor } = parseQuery(["cursor"], event);
    return json(200, assertFound(await listEvents(target, cursor)));
  });
