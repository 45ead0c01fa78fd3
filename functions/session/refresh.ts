import { createRefresh } from "../../lib/auth/session/refresh.ts";
import { systemClock } from "../../lib/clock.ts";
import {
  cookieSettings,
  issuerSettings,
  lifetimeSettings,
  readConfig,
  requestSettings,
} from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { api } from "../../lib/http/api.ts";
import { clientMode, pairResponse, requirePair } from "../../lib/http/client-mode.ts";
import { crossSite } from "../../lib/http/cross-site.ts";
import { parseIdempotencyKey } from "../../lib/http/idempotency-key.ts";
import { jsonBody } from "../../lib/http/json-body.ts";
import { note } from "../../lib/log.ts";
import { createSessionNote } from "../../lib/sessions/note.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import { createPairIssuer } from "../../lib/tokens/issue-pair.ts";
import { createKeyedHash } from "../../lib/tokens/keyed-hash.ts";
import { importVerificationKeys } from "../../lib/tokens/keys.ts";
import { openSigningKeys } from "../../lib/tokens/open-signing-keys.ts";
import { createExpiredTokenVerifier } from "../../lib/tokens/verify-access-token.ts";

const config = readConfig([
  ...requestSettings,
  ...cookieSettings,
  ...issuerSettings,
  ...lifetimeSettings,
  "refreshWindowSeconds",
  "refreshMinIntervalSeconds",
  "sessionsNotBefore",
  "sessionsTable",
  "dynamodbEndpoint",
]);
const signingKeys = await openSigningKeys(config, systemClock);
const keys = await importVerificationKeys(config.jwtPublicKeys);
const noteSession = createSessionNote(createKeyedHash({ signingKeys, clock: systemClock }));
const refresh = createRefresh({
  sessions: createSessionStore(createDynamoDB(config), config.sessionsTable),
  verifyExpiredToken: createExpiredTokenVerifier({ ...config, keys, clock: systemClock }),
  issuePair: createPairIssuer(signingKeys, config),
  clock: systemClock,
  noteSession,
  noteEvent: (event) => note({ event }),
  settings: config,
});

export const handler = api()
  .use(crossSite(config))
  .use(jsonBody())
  .use(clientMode(config))
  .handler(async ({ headers, mode, presented }, { signal }) => {
    const idempotencyKey = parseIdempotencyKey(headers["idempotency-key"]);
    const credentials = requirePair(presented);
    await signingKeys.ready();
    const pair = await refresh({ ...credentials, idempotencyKey }, signal);
    note({ event: "session_renewed" });
    return pairResponse(pair, mode, config);
  });
