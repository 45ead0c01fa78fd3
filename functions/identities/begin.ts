import { createUserStore } from "../../lib/accounts/store.ts";
import { createBeginLink } from "../../lib/auth/identities/begin.ts";
import { systemClock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { api } from "../../lib/http/api.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { beginFlow } from "../../lib/http/begin-flow.ts";
import { callerMode } from "../../lib/http/client-mode.ts";
import { flowCookies } from "../../lib/http/flow-cookie.ts";
import { freshSeconds } from "../../lib/sessions/fresh.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import {
  cookieSettings,
  dynamodbSettings,
  identityProviders,
  ifSet,
  mailsTable,
  sessionsTable,
  usersTable,
} from "../../lib/settings.ts";

const config = readConfig({
  ...{ ...cookieSettings, ...dynamodbSettings, identityProviders },
  ...{ usersTable, sessionsTable, mailsTable: ifSet(mailsTable) },
});
const dynamodb = createDynamoDB(config);
const beginLink = createBeginLink({
  users: createUserStore(dynamodb, config.usersTable),
  hasMail: config.mailsTable !== undefined,
  clock: systemClock,
});
const sessions = createSessionStore(dynamodb, config.sessionsTable);

export const handler = api()
  .use(await authenticate({ live: sessions, maxAgeSeconds: freshSeconds }))
  .use(callerMode())
  .use(flowCookies(config))
  .handler(async (event) => {
    await beginLink(event.session);
    return beginFlow(event, { config, sessionId: event.session.sessionId, now: systemClock() });
  });
