import { createUserStore } from "../../lib/accounts/store.ts";
import { openAttemptLimit } from "../../lib/attempts/open-limits.ts";
import { createOpenSession } from "../../lib/auth/open-session.ts";
import { createChangePassword } from "../../lib/auth/password/change.ts";
import { systemClock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { readCommonPasswords } from "../../lib/factors/common-passwords.ts";
import { api } from "../../lib/http/api.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { parseClientKeys } from "../../lib/http/client-keys.ts";
import { callerMode, openedResponse } from "../../lib/http/client-mode.ts";
import { deviceCookie } from "../../lib/http/device-cookie.ts";
import { createChangePasswordBody, parseBody } from "../../lib/http/schemas.ts";
import { note } from "../../lib/log.ts";
import { assertSessionKey } from "../../lib/sessions/presented-keys.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import {
  attemptsTable,
  cookieSettings,
  dynamodbSettings,
  hashKeySettings,
  issuerSettings,
  lifetimeSettings,
  passwordMinLength,
  sessionsTable,
  usersTable,
} from "../../lib/settings.ts";
import { createPairIssuer } from "../../lib/tokens/issue-pair.ts";
import { openHashKeys } from "../../lib/tokens/open-hash-keys.ts";
import { openSigningKeys } from "../../lib/tokens/open-signing-keys.ts";

const config = readConfig({
  ...dynamodbSettings,
  ...hashKeySettings,
  ...cookieSettings,
  ...issuerSettings,
  ...lifetimeSettings,
  usersTable,
  sessionsTable,
  attemptsTable,
  passwordMinLength,
});
const hashKeys = openHashKeys(config, systemClock);
const dynamodb = createDynamoDB(config);
const users = createUserStore(dynamodb, config.usersTable);
const sessions = createSessionStore(dynamodb, config.sessionsTable);
const pairs = createPairIssuer(await openSigningKeys(config, systemClock), config);
const changePasswordBody = createChangePasswordBody(config);
const changePassword = createChangePassword({
  users,
  ...openAttemptLimit(config, { dynamodb, hashKeys, clock: systemClock }),
  pairs,
  openSession: createOpenSession({ users, sessions, pairs, clock: systemClock, ...config }),
  readCommonPasswords,
});

export const handler = api()
  .use(await authenticate({ live: sessions }))
  .use(callerMode())
  .use(deviceCookie(config))
  .handler(async ({ session, body, headers, mode, hasCookies, userAgent, sourceIp: ip, device: cookie }) => {
    const keys = parseClientKeys(headers);
    assertSessionKey(session, keys.sessionKey);
    const change = parseBody(changePasswordBody, body);
    const device = mode === "bearer" ? change.device : cookie;
    const opened = await changePassword(session, { ...change, ...keys, userAgent, ip, device });
    note({ event: "authn_password_change" });
    return openedResponse(opened, { mode, hasCookies }, config);
  });
