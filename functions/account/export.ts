import { createUserStore } from "../../lib/accounts/store.ts";
import { createExportAccount } from "../../lib/auth/account/export.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { readOnlyApi } from "../../lib/http/read-only-api.ts";
import { json } from "../../lib/http/response.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import { dynamodbSettings, sessionsNotBefore, sessionsTable, usersTable } from "../../lib/settings.ts";

const config = readConfig({ ...dynamodbSettings, usersTable, sessionsTable, sessionsNotBefore });
const dynamodb = createDynamoDB(config);
const exportAccount = createExportAccount({
  users: createUserStore(dynamodb, config.usersTable),
  sessions: createSessionStore(dynamodb, config.sessionsTable),
  ...config,
});

export const handler = readOnlyApi()
  .use(await authenticate())
  .handler(async ({ caller }) => json(200, await exportAccount(caller)));
