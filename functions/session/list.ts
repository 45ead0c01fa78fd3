import { createListSessions } from "../../lib/auth/session/list.ts";
import { systemClock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { api } from "../../lib/http/api.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { toCaller } from "../../lib/http/caller.ts";
import { json } from "../../lib/http/response.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";

const config = readConfig(["sessionsTable", "dynamodbEndpoint"]);
const sessions = createSessionStore(createDynamoDB(config), config.sessionsTable);
const listSessions = createListSessions({ sessions, clock: systemClock });

export const handler = api()
  .use(await authenticate())
  .handler(async ({ auth, queryStringParameters: { cursor } }) => {
    return json(200, await listSessions(toCaller(auth), cursor));
  });
