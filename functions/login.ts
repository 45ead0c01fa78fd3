import { openAttemptLimit } from "../lib/attempts/open-attempt-limit.ts";
import { createLogin } from "../lib/auth/login.ts";
import { systemClock } from "../lib/clock.ts";
import {
  attemptSettings,
  cookieSettings,
  issuerSettings,
  lifetimeSettings,
  readConfig,
  requestSettings,
} from "../lib/config.ts";
import { createDynamoDB } from "../lib/dynamodb.ts";
import { api } from "../lib/http/api.ts";
import { clientMode, pairResponse } from "../lib/http/client-mode.ts";
import { crossSite } from "../lib/http/cross-site.ts";
import { parseIdempotencyKey } from "../lib/http/idempotency-key.ts";
import { jsonBody } from "../lib/http/json-body.ts";
import { loginBody, parseBody } from "../lib/http/schemas.ts";
import { createSessionStore } from "../lib/sessions/store.ts";
import { createPairIssuer } from "../lib/tokens/issue-pair.ts";
import { openSigningKeys } from "../lib/tokens/open-signing-keys.ts";
import { createUserStore } from "../lib/users/store.ts";

const config = readConfig([
  ...requestSettings,
  ...cookieSettings,
  ...issuerSettings,
  ...attemptSettings,
  ...lifetimeSettings,
  "usersTable",
  "sessionsTable",
  "dynamodbEndpoint",
]);
const signingKeys = await openSigningKeys(config, systemClock);
const dynamodb = createDynamoDB(config);
const login = createLogin({
  users: createUserStore(dynamodb, config.usersTable),
  sessions: createSessionStore(dynamodb, config.sessionsTable),
  attempts: openAttemptLimit(config, { dynamodb, signingKeys, clock: systemClock }),
  issuePair: createPairIssuer(signingKeys, config),
  clock: systemClock,
  ...config,
});

export const handler = api()
  .use(crossSite(config))
  .use(jsonBody())
  .use(clientMode(config))
  .handler(async ({ body, headers, mode, userAgent, sourceIp: ip }) => {
    const idempotencyKey = parseIdempotencyKey(headers["idempotency-key"]);
    const credentials = parseBody(loginBody, body);
    await signingKeys.ready();
    const pair = await login({ ...credentials, idempotencyKey, userAgent, ip });
    return pairResponse(pair, mode, config);
  });
