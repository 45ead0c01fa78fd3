import { createRefresh } from "../../lib/auth/session/refresh.ts";
import { systemClock, systemClockMs } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { api } from "../../lib/http/api.ts";
import { parseClientKeys } from "../../lib/http/client-keys.ts";
import { clientMode, pairResponse, requirePair } from "../../lib/http/client-mode.ts";
import { note } from "../../lib/log.ts";
import { createSessionNote } from "../../lib/sessions/note.ts";
import { findRearmAge, maxRearms } from "../../lib/sessions/rotation.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import {
  cookieSettings,
  dynamodbSettings,
  hashKeySettings,
  issuerSettings,
  lifetimeSettings,
  refreshMinIntervalSeconds,
  refreshWindowSeconds,
  sessionsNotBefore,
  sessionsTable,
} from "../../lib/settings.ts";
import { createPairIssuer } from "../../lib/tokens/issue-pair.ts";
import { createKeyedHash } from "../../lib/tokens/keyed-hash.ts";
import { importVerificationKeys } from "../../lib/tokens/keys.ts";
import { openHashKeys } from "../../lib/tokens/open-hash-keys.ts";
import { openSigningKeys } from "../../lib/tokens/open-signing-keys.ts";
import { createExpiredTokenVerifier } from "../../lib/tokens/verify-access-token.ts";

const config = readConfig({
  ...cookieSettings,
  ...dynamodbSettings,
  ...hashKeySettings,
  ...issuerSettings,
  ...lifetimeSettings,
  refreshWindowSeconds,
  refreshMinIntervalSeconds,
  sessionsNotBefore,
  sessionsTable,
});
const hashKeys = openHashKeys(config, systemClock);
const signingKeys = await openSigningKeys(config, systemClock);
const keys = await importVerificationKeys(config.jwtPublicKeys);
const refresh = createRefresh({
  sessions: createSessionStore(createDynamoDB(config), config.sessionsTable),
  verifyExpiredToken: createExpiredTokenVerifier({ ...config, keys, clock: systemClock }),
  pairs: createPairIssuer(signingKeys, config),
  clockMs: systemClockMs,
  noteSession: createSessionNote(createKeyedHash({ hashKeys, clock: systemClock })),
  noteEvent: (event) => note({ event }),
  settings: { ...config, rearmAfterSeconds: findRearmAge(config.refreshMinIntervalSeconds), maxRearms },
});

export const handler = api()
  .use(clientMode(config))
  .handler(async ({ headers, mode, presented, userAgent, sourceIp: ip, receivedAt }) => {
    const keys = parseClientKeys(headers);
    const pair = await refresh({ ...requirePair(presented), ...keys, userAgent, ip, receivedAt });
    note({ event: "session_renewed" });
    return pairResponse(pair, mode, config);
  });
