import { createUserStore } from "../../lib/accounts/store.ts";
import { openAttemptLimit, openSourceLimit } from "../../lib/attempts/open-limits.ts";
import { createEndEarlierSessions } from "../../lib/auth/end-earlier-sessions.ts";
import { createLogin } from "../../lib/auth/login/password.ts";
import { createOpenSession } from "../../lib/auth/open-session.ts";
import { systemClock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { api } from "../../lib/http/api.ts";
import { parseClientKeys } from "../../lib/http/client-keys.ts";
import { clientMode, openedResponse } from "../../lib/http/client-mode.ts";
import { deviceCookie } from "../../lib/http/device-cookie.ts";
import { loginBody, parseBody } from "../../lib/http/schemas.ts";
import { note } from "../../lib/log.ts";
import { createSessionNote } from "../../lib/sessions/note.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import {
  attemptsTable,
  cookieSettings,
  dynamodbSettings,
  hashKeySettings,
  issuerSettings,
  lifetimeSettings,
  loginLimitPerSourcePerMinute,
  sessionsTable,
  usersTable,
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
  usersTable,
  sessionsTable,
  attemptsTable,
  loginLimitPerSourcePerMinute,
});
const hashKeys = openHashKeys(config, systemClock);
const signingKeys = await openSigningKeys(config, systemClock);
const dynamodb = createDynamoDB(config);
const needs = { dynamodb, hashKeys, clock: systemClock };
const users = createUserStore(dynamodb, config.usersTable);
const keyedHash = createKeyedHash(needs);
const noteSession = createSessionNote(keyedHash);
const pairs = createPairIssuer(signingKeys, config);
const sessions = createSessionStore(dynamodb, config.sessionsTable);
const verificationKeys = await importVerificationKeys(config.jwtPublicKeys);
const openSession = createOpenSession({
  users,
  sessions,
  pairs,
  clock: systemClock,
  ...config,
});
const login = createLogin({
  users,
  ...openAttemptLimit(config, needs),
  sources: openSourceLimit(config, needs, {
    what: "logins",
    limit: config.loginLimitPerSourcePerMinute,
    windowSeconds: 60,
  }),
  pairs,
  openSession,
  endEarlierSessions: createEndEarlierSessions({
    sessions,
    verifyExpiredToken: createExpiredTokenVerifier({ ...config, keys: verificationKeys, clock: systemClock }),
    noteFailure: (error) => note({ error }),
  }),
});

export const handler = api()
  .use(clientMode(config))
  .use(deviceCookie(config))
  .handler(async ({ body, headers, mode, hasCookies, pairs, userAgent, sourceIp: ip, device: kept }) => {
    const keys = parseClientKeys(headers);
    const credentials = parseBody(loginBody, body);
    note({ emailHash: await keyedHash.hash(`log e-mail:${credentials.email}`) });
    const device = mode === "bearer" ? credentials.device : kept;
    const opened = await login({
      ...credentials,
      ...keys,
      userAgent,
      ip,
      device,
      pairs: mode === "bearer" ? [] : pairs,
    });
    note({ event: "authn_login_success" });
    await noteSession(opened.pair);
    return openedResponse(opened, { mode, hasCookies }, config);
  });
