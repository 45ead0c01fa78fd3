import { createUserStore } from "../../lib/accounts/store.ts";
import { createEndAllSessions } from "../../lib/auth/session/revoke-all.ts";
import { systemClock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { AppError } from "../../lib/errors.ts";
import { api } from "../../lib/http/api.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { noContent } from "../../lib/http/response.ts";
import { note } from "../../lib/log.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import { dynamodbSettings, sessionsTable, usersTable } from "../../lib/settings.ts";

const config = readConfig({ ...dynamodbSettings, usersTable, sessionsTable });
const dynamodb = createDynamoDB(config);
const endAllSessions = createEndAllSessions({
  users: createUserStore(dynamodb, config.usersTable),
  sessions: createSessionStore(dynamodb, config.sessionsTable),
  clock: systemClock,
});

export const handler = api()
  .use(await authenticate())
  .handler(async ({ caller, queryStringParameters: { except } }) => {
    if (except !== undefined && except !== "current") {
      throw new AppError("invalid_query", { detail: "except can only be current." });
    }
    await endAllSessions(caller, except === undefined ? undefined : caller);
    note({ event: "authn_token_revoked" });
    return noContent();
  });
