import { createIdentityStore } from "../../lib/accounts/identities.ts";
import { createUserStore } from "../../lib/accounts/store.ts";
import { createListIdentities } from "../../lib/auth/identities/list.ts";
import { systemClock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { readOnlyApi } from "../../lib/http/read-only-api.ts";
import { json } from "../../lib/http/response.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import { dynamodbSettings, identitiesTable, sessionsTable, usersTable } from "../../lib/settings.ts";

const config = readConfig({ ...dynamodbSettings, usersTable, identitiesTable, sessionsTable });
const dynamodb = createDynamoDB(config);
const listIdentities = createListIdentities({
  users: createUserStore(dynamodb, config.usersTable),
  identities: createIdentityStore(dynamodb, config.identitiesTable),
  clock: systemClock,
});

export const handler = readOnlyApi()
  .use(await authenticate({ live: createSessionStore(dynamodb, config.sessionsTable) }))
  .handler(async ({ session }) => json(200, await listIdentities(session)));
