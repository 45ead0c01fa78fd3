import { systemClock, systemClockMs } from "./clock.ts";
import type { Config } from "./config.ts";
import { createDynamoDB } from "./dynamodb.ts";
import { note } from "./log.ts";
import { createSessionNote } from "./sessions/note.ts";
import { findRearmAge, maxRearms } from "./sessions/rotation.ts";
import { createSessionStore } from "./sessions/store.ts";
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
} from "./settings.ts";
import { createPairIssuer } from "./tokens/issue-pair.ts";
import { createKeyedHash } from "./tokens/keyed-hash.ts";
import { importVerificationKeys } from "./tokens/keys.ts";
import { openHashKeys } from "./tokens/open-hash-keys.ts";
import { openSigningKeys } from "./tokens/open-signing-keys.ts";
import { rehearsePair } from "./tokens/rehearsal.ts";
import { createExpiredTokenVerifier } from "./tokens/verify-access-token.ts";

/** What every function that renews sessions reads. */
export const renewalSettings = {
  ...cookieSettings,
  ...dynamodbSettings,
  ...hashKeySettings,
  ...issuerSettings,
  ...lifetimeSettings,
  refreshWindowSeconds,
  refreshMinIntervalSeconds,
  sessionsNotBefore,
  sessionsTable,
};

/** Makes, once per sandbox, what every function that renews sessions is made of. */
export async function createRenewalOpening(config: Config<keyof typeof renewalSettings>) {
  const sessions = createSessionStore(createDynamoDB(config), config.sessionsTable);
  const [hashKeys, signingKeys, keys] = await Promise.all([
    openHashKeys(config, systemClock),
    openSigningKeys(config, systemClock),
    importVerificationKeys(config.jwtPublicKeys),
  ]);
  const keyedHash = createKeyedHash({ hashKeys, clock: systemClock });
  const pairs = createPairIssuer(signingKeys, config);
  const verifyExpiredToken = createExpiredTokenVerifier({ ...config, keys, clock: systemClock });
  await rehearsePair(pairs, verifyExpiredToken);
  const rearmAfterSeconds = findRearmAge(config.refreshMinIntervalSeconds);
  return {
    ...{ keyedHash, sessions, verifyExpiredToken, pairs },
    clockMs: systemClockMs,
    noteSession: createSessionNote(keyedHash),
    noteEvent: (event: "authn_token_reuse" | "authn_token_repeat_unproven") => note({ event }),
    settings: { ...config, rearmAfterSeconds, maxRearms },
  };
}
