import { createEndOthers } from "../../lib/accounts/end-others.ts";
import { createIdentityRemoval } from "../../lib/accounts/identity-removal.ts";
import { createUserStore } from "../../lib/accounts/store.ts";
import { createUnlinkIdentity } from "../../lib/auth/identities/unlink.ts";
import { systemClock as clock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { api } from "../../lib/http/api.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { callerPair } from "../../lib/http/caller-pair.ts";
import { callerMode } from "../../lib/http/client-mode.ts";
import { noContent } from "../../lib/http/response.ts";
import { callerBody, parseBody } from "../../lib/http/schemas.ts";
import { note } from "../../lib/log.ts";
import { freshSeconds } from "../../lib/sessions/fresh.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import {
  cookieName,
  dynamodbSettings,
  identitiesTable,
  sessionsTable,
  usersTable,
} from "../../lib/settings.ts";

const config = readConfig({ ...dynamodbSettings, usersTable, identitiesTable, sessionsTable, cookieName });
const dynamodb = createDynamoDB(config);
const sessions = createSessionStore(dynamodb, config.sessionsTable);
const unlinkIdentity = createUnlinkIdentity({
  ...{ sessions, users: createUserStore(dynamodb, config.usersTable), clock },
  endOthers: createEndOthers(dynamodb, config),
  removeIdentity: createIdentityRemoval(config.identitiesTable),
});

export const handler = api()
  .use(await authenticate({ live: sessions, maxAgeSeconds: freshSeconds }))
  .use(callerMode())
  .use(callerPair(config))
  .handler(async ({ session, body = {}, pathParameters, userAgent, sourceIp: ip, requestId }) => {
    parseBody(callerBody, body);
    await unlinkIdentity(session, pathParameters.identityId, { userAgent, ip, requestId });
    note({ event: "authn_factor_removed", by: "provider" });
    return noContent();
  });
