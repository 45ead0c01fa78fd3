import { createRevokeSession } from "../../lib/auth/session/revoke.ts";
import { systemClock } from "../../lib/clock.ts";
import { readConfig, requestSettings } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { api } from "../../lib/http/api.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { crossSite } from "../../lib/http/cross-site.ts";
import { jsonBody } from "../../lib/http/json-body.ts";
import { noContent } from "../../lib/http/response.ts";
import { note } from "../../lib/log.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";

const config = readConfig([...requestSettings, "sessionsTable", "dynamodbEndpoint"]);
const sessions = createSessionStore(createDynamoDB(config), config.sessionsTable);
const revokeSession = createRevokeSession({ sessions, clock: systemClock });

export const handler = api()
  .use(crossSite(config))
  .use(jsonBody())
  .use(await authenticate())
  .handler(async ({ auth, pathParameters: { sessionId } }) => {
    await revokeSession(auth.sub, sessionId);
    note({ event: "authn_token_revoked" });
    return noContent();
  });
