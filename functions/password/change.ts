import { createUserStore } from "../../lib/accounts/store.ts";
import { openAttemptLimit } from "../../lib/attempts/open-limits.ts";
import { createChangePassword } from "../../lib/auth/password/change.ts";
import { systemClock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { readCommonPasswords } from "../../lib/factors/common-passwords.ts";
import { api } from "../../lib/http/api.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { deviceCookie } from "../../lib/http/device-cookie.ts";
import { json } from "../../lib/http/response.ts";
import { createChangePasswordBody, parseBody } from "../../lib/http/schemas.ts";
import { note } from "../../lib/log.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import {
  attemptsTable,
  cookieName,
  dynamodbSettings,
  hashKeySettings,
  passwordMinLength,
  sessionsTable,
  usersTable,
} from "../../lib/settings.ts";
import { openHashKeys } from "../../lib/tokens/open-hash-keys.ts";

const config = readConfig({
  ...dynamodbSettings,
  ...hashKeySettings,
  usersTable,
  sessionsTable,
  attemptsTable,
  cookieName,
  passwordMinLength,
});
const hashKeys = openHashKeys(config, systemClock);
const dynamodb = createDynamoDB(config);
const users = createUserStore(dynamodb, config.usersTable);
const sessions = createSessionStore(dynamodb, config.sessionsTable);
const { attempts } = openAttemptLimit(config, { dynamodb, hashKeys, clock: systemClock });
const changePasswordBody = createChangePasswordBody(config);
const changePassword = createChangePassword({ users, sessions, attempts, readCommonPasswords });

export const handler = api()
  .use(await authenticate({ live: sessions }))
  .use(deviceCookie(config))
  .handler(async ({ caller, body, device }) => {
    await changePassword(caller, parseBody(changePasswordBody, body), device);
    note({ event: "authn_password_change" });
    return json(200, { msg: "success" });
  });
