import { createListSessions } from "../../lib/auth/session/list.ts";
import { systemClock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { readOnlyApi } from "../../lib/http/read-only-api.ts";
import { json } from "../../lib/http/response.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import { dynamodbSettings, sessionsNotBefore, sessionsTable } from "../../lib/settings.ts";

const config = readConfig({ ...dynamodbSettings, sessionsTable, sessionsNotBefore });
const sessions = createSessionStore(createDynamoDB(config), config.sessionsTable);
const listSessions = createListSessions({ sessions, clock: systemClock, ...config });

export const handler = readOnlyApi()
  .use(await authenticate({ client: "own" }))
  .handler(async ({ caller, queryStringParameters: { cursor } }) =>
    json(200, await listSessions(caller, cursor)),
  );
