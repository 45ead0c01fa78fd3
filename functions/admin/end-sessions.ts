import { createOperations } from "../../lib/accounts/operations.ts";
import { createUserStore } from "../../lib/accounts/store.ts";
import { createEndSessions } from "../../lib/auth/admin/end-sessions.ts";
import { systemClock as clock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { adminOnly, assertFound } from "../../lib/http/admin-only.ts";
import { api } from "../../lib/http/api.ts";
import { noContent } from "../../lib/http/response.ts";
import { callerBody, parseBody } from "../../lib/http/schemas.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import { dynamodbSettings, sessionsTable, usersTable } from "../../lib/settings.ts";

const config = readConfig({ ...dynamodbSettings, usersTable, sessionsTable });
const dynamodb = createDynamoDB(config);
const users = createUserStore(dynamodb, config.usersTable);
const sessions = createSessionStore(dynamodb, config.sessionsTable);
const operations = createOperations(dynamodb, config.usersTable);
const endSessions = createEndSessions({ users, operations, sessions, clock });

export const handler = api()
  .use(await adminOnly({ sessions, users }))
  .handler(async ({ target, by, body = {} }) => {
    parseBody(callerBody, body);
    assertFound(await endSessions(target, by));
    return noContent();
  });
