import { createRevokeSession } from "../../lib/auth/session/revoke.ts";
import { systemClock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { api } from "../../lib/http/api.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { noContent } from "../../lib/http/response.ts";
import { note } from "../../lib/log.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import { dynamodbSettings, sessionsNotBefore, sessionsTable } from "../../lib/settings.ts";

const config = readConfig({ ...dynamodbSettings, sessionsTable, sessionsNotBefore });
const sessions = createSessionStore(createDynamoDB(config), config.sessionsTable);
const revokeSession = createRevokeSession({ sessions, clock: systemClock, ...config });

export const handler = api()
  .use(await authenticate({ live: sessions }))
  .handler(async ({ session, pathParameters: { sessionId } }) => {
    await revokeSession(session, sessionId);
    note({ event: "authn_token_revoked" });
    return noContent();
  });
