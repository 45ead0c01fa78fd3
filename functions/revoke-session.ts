import { systemClock } from "../lib/clock.ts";
import { readConfig, requestSettings } from "../lib/config.ts";
import { createDynamoDB } from "../lib/dynamodb.ts";
import { AppError } from "../lib/errors.ts";
import { api } from "../lib/http/api.ts";
import { authenticate } from "../lib/http/authenticate.ts";
import { crossSite } from "../lib/http/cross-site.ts";
import { jsonBody } from "../lib/http/json-body.ts";
import { noContent } from "../lib/http/response.ts";
import { note } from "../lib/log.ts";
import { createSessionStore, isSessionId } from "../lib/sessions/store.ts";

const config = readConfig([...requestSettings, "sessionsTable", "dynamodbEndpoint"]);
const sessions = createSessionStore(createDynamoDB(config), config.sessionsTable);

export const handler = api()
  .use(crossSite(config))
  .use(jsonBody())
  .use(await authenticate())
  .handler(async ({ auth, pathParameters: { sessionId } }) => {
    // The partition is the caller's own: somebody else's session is as unknown as none.
    const isEnded =
      isSessionId(sessionId) && (await sessions.end({ userId: auth.sub, sessionId }, systemClock()));
    if (!isEnded) throw new AppError("not_found", { detail: "You have no such session." });
    note({ event: "authn_token_revoked" });
    return noContent();
  });
