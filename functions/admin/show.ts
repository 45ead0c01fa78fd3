import { createUserStore } from "../../lib/accounts/store.ts";
import { createShowUser } from "../../lib/auth/admin/show.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { adminOnly, assertFound } from "../../lib/http/admin-only.ts";
import { readOnlyApi } from "../../lib/http/read-only-api.ts";
import { json } from "../../lib/http/response.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import { dynamodbSettings, sessionsTable, usersTable } from "../../lib/settings.ts";

const config = readConfig({ ...dynamodbSettings, usersTable, sessionsTable });
const dynamodb = createDynamoDB(config);
const users = createUserStore(dynamodb, config.usersTable);
const sessions = createSessionStore(dynamodb, config.sessionsTable);
const showUser = createShowUser({ users, sessions });

export const handler = readOnlyApi()
  .use(await adminOnly({ sessions, users }))
  .handler(async ({ target }) => json(200, assertFound(await showUser(target))));
