import { createListSessions } from "../lib/auth/list-sessions.ts";
import { systemClock } from "../lib/clock.ts";
import { readConfig } from "../lib/config.ts";
import { createDynamoDB } from "../lib/dynamodb.ts";
import { api } from "../lib/http/api.ts";
import { authenticate } from "../lib/http/authenticate.ts";
import { paginate } from "../lib/http/paginate.ts";
import { json } from "../lib/http/response.ts";
import { createSessionStore } from "../lib/sessions/store.ts";

const config = readConfig(["sessionsTable", "dynamodbEndpoint"]);
const sessions = createSessionStore(createDynamoDB(config), config.sessionsTable);
const listSessions = createListSessions({ sessions, clock: systemClock });

export const handler = api()
  .use(await authenticate())
  .handler(async ({ auth, queryStringParameters: { cursor } }) => {
    const all = await listSessions(auth.sub);
    const { page, nextCursor } = paginate(all, cursor);
    const isCurrent = (sessionId: string) => sessionId === auth.sid;
    return json(200, {
      sessions: page.map((session) => ({ ...session, current: isCurrent(session.sessionId) })),
      nextCursor,
    });
  });
