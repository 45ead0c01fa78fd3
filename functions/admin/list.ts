import { createIdentityStore } from "../../lib/accounts/identities.ts";
import { createUserStore } from "../../lib/accounts/store.ts";
import { readUserPage } from "../../lib/accounts/user-list.ts";
import { createListUsers } from "../../lib/auth/admin/list.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { adminOnly } from "../../lib/http/admin-only.ts";
import { parseQuery } from "../../lib/http/query.ts";
import { readOnlyApi } from "../../lib/http/read-only-api.ts";
import { json } from "../../lib/http/response.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import { dynamodbSettings, identitiesTable, sessionsTable, usersTable } from "../../lib/settings.ts";

const config = readConfig({ ...dynamodbSettings, usersTable, identitiesTable, sessionsTable });
const dynamodb = createDynamoDB(config);
const users = createUserStore(dynamodb, config.usersTable);
const sessions = createSessionStore(dynamodb, config.sessionsTable);
const identities = createIdentityStore(dynamodb, config.identitiesTable);
const listUsers = createListUsers({
  ...{ users, identities },
  readPage: (page) => readUserPage(dynamodb, config.usersTable, page),
});

export const handler = readOnlyApi()
  .use(await adminOnly({ sessions, users }))
  .handler(async (event) => json(200, await listUsers(parseQuery(["email", "cursor"], event))));
