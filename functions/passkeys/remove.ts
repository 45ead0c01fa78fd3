import { createRemovePasskey } from "../../lib/auth/passkeys/remove.ts";
import { systemClock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { api } from "../../lib/http/api.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { callerPair } from "../../lib/http/caller-pair.ts";
import { callerMode } from "../../lib/http/client-mode.ts";
import { removePasskeyBody } from "../../lib/http/passkey-schemas.ts";
import { noContent } from "../../lib/http/response.ts";
import { parseBody } from "../../lib/http/schemas.ts";
import { note } from "../../lib/log.ts";
import { createPasskeyStore } from "../../lib/passkeys/store.ts";
import { freshSeconds } from "../../lib/sessions/fresh.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import { cookieName, dynamodbSettings, sessionsTable, usersTable } from "../../lib/settings.ts";

const config = readConfig({ ...dynamodbSettings, usersTable, sessionsTable, cookieName });
const dynamodb = createDynamoDB(config);
const sessions = createSessionStore(dynamodb, config.sessionsTable);
const removePasskey = createRemovePasskey({
  passkeys: createPasskeyStore(dynamodb, config.usersTable),
  clock: systemClock,
});

export const handler = api()
  .use(await authenticate({ live: sessions, maxAgeSeconds: freshSeconds }))
  .use(callerMode())
  .use(callerPair(config))
  .handler(async ({ session, body = {}, pathParameters, userAgent, sourceIp: ip, requestId }) => {
    parseBody(removePasskeyBody, body);
    await removePasskey(session, pathParameters.passkeyId, { userAgent, ip, requestId });
    note({ event: "authn_factor_removed" });
    return noContent();
  });
