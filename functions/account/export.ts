import { createUserStore } from "../../lib/accounts/store.ts";
import { createExportAccount } from "../../lib/auth/account/export.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { api } from "../../lib/http/api.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { toCaller } from "../../lib/http/caller.ts";
import { json } from "../../lib/http/response.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";

const config = readConfig(["usersTable", "sessionsTable", "dynamodbEndpoint"]);
const dynamodb = createDynamoDB(config);
const exportAccount = createExportAccount({
  users: createUserStore(dynamodb, config.usersTable),
  sessions: createSessionStore(dynamodb, config.sessionsTable),
});

export const handler = api()
  .use(await authenticate())
  .handler(async ({ auth }) => json(200, await exportAccount(toCaller(auth))));
