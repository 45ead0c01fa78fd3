import { createUserStore } from "../../lib/accounts/store.ts";
import { createListPasskeys } from "../../lib/auth/passkeys/list.ts";
import { systemClock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { readOnlyApi } from "../../lib/http/read-only-api.ts";
import { json } from "../../lib/http/response.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import { dynamodbSettings, passkeyRpId, sessionsTable, usersTable } from "../../lib/settings.ts";

const config = readConfig({ ...dynamodbSettings, passkeyRpId, usersTable, sessionsTable });
const dynamodb = createDynamoDB(config);
const listPasskeys = createListPasskeys({
  users: createUserStore(dynamodb, config.usersTable),
  rpId: config.passkeyRpId,
  clock: systemClock,
});

export const handler = readOnlyApi()
  .use(await authenticate({ live: createSessionStore(dynamodb, config.sessionsTable) }))
  .handler(async ({ session }) => json(200, await listPasskeys(session)));
