import { createDirectory } from "../../lib/accounts/directory.ts";
import { createOperations } from "../../lib/accounts/operations.ts";
import { createUserStore } from "../../lib/accounts/store.ts";
import { createDeleteUser } from "../../lib/auth/admin/delete.ts";
import { systemClock as clock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { adminOnly, assertFound } from "../../lib/http/admin-only.ts";
import { api } from "../../lib/http/api.ts";
import { noContent } from "../../lib/http/response.ts";
import { callerBody, parseBody } from "../../lib/http/schemas.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import { dynamodbSettings, identitiesTable, sessionsTable, usersTable } from "../../lib/settings.ts";

const config = readConfig({ ...dynamodbSettings, usersTable, identitiesTable, sessionsTable });
const dynamodb = createDynamoDB(config);
const users = createUserStore(dynamodb, config.usersTable);
const sessions = createSessionStore(dynamodb, config.sessionsTable);
const deleteUser = createDeleteUser({
  ...{ users, sessions, clock },
  operations: createOperations(dynamodb, config.usersTable),
  directory: createDirectory(dynamodb, config),
});

export const handler = api()
  .use(await adminOnly({ sessions, users }))
  .handler(async ({ target, by, body = {} }) => {
    parseBody(callerBody, body);
    assertFound(await deleteUser(target, by));
    return noContent();
  });
