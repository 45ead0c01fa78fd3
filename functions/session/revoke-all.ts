import { createUserStore } from "../../lib/accounts/store.ts";
import { createEndAllSessions } from "../../lib/auth/session/revoke-all.ts";
import { systemClock } from "../../lib/clock.ts";
import { readConfig, requestSettings } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { AppError } from "../../lib/errors.ts";
import { api } from "../../lib/http/api.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { toCaller } from "../../lib/http/caller.ts";
import { crossSite } from "../../lib/http/cross-site.ts";
import { jsonBody } from "../../lib/http/json-body.ts";
import { noContent } from "../../lib/http/response.ts";
import { note } from "../../lib/log.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";

const config = readConfig([...requestSettings, "usersTable", "sessionsTable", "dynamodbEndpoint"]);
const dynamodb = createDynamoDB(config);
const endAllSessions = createEndAllSessions({
  users: createUserStore(dynamodb, config.usersTable),
  sessions: createSessionStore(dynamodb, config.sessionsTable),
  clock: systemClock,
});

export const handler = api()
  .use(crossSite(config))
  .use(jsonBody())
  .use(await authenticate())
  .handler(async ({ auth, queryStringParameters: { except } }) => {
    if (except !== undefined && except !== "current") {
      throw new AppError("invalid_query", { detail: "except can only be current." });
    }
    const caller = toCaller(auth);
    await endAllSessions(caller, except === undefined ? undefined : caller);
    note({ event: "authn_token_revoked" });
    return noContent();
  });
