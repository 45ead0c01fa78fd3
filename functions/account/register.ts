import { createDirectory } from "../../lib/accounts/directory.ts";
import { openSourceLimit } from "../../lib/attempts/open-limits.ts";
import { createRegister } from "../../lib/auth/account/register.ts";
import { systemClock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { commonPasswords } from "../../lib/factors/common-passwords.ts";
import { api } from "../../lib/http/api.ts";
import { json } from "../../lib/http/response.ts";
import { createRegisterBody, parseBody } from "../../lib/http/schemas.ts";
import { note } from "../../lib/log.ts";
import { chooseLanguage } from "../../lib/mail/language.ts";
import {
  attemptsTable,
  dynamodbSettings,
  hashKeySettings,
  identitiesTable,
  ifSet,
  mailLanguages,
  mailsTable,
  passwordMinLength,
  registerLimitPerSourcePerHour,
  usersTable,
} from "../../lib/settings.ts";
import { openHashKeys } from "../../lib/tokens/open-hash-keys.ts";

const config = readConfig({
  ...dynamodbSettings,
  ...hashKeySettings,
  usersTable,
  identitiesTable,
  attemptsTable,
  mailsTable: ifSet(mailsTable),
  mailLanguages,
  passwordMinLength,
  registerLimitPerSourcePerHour,
});
const hashKeys = await openHashKeys(config, systemClock);
const dynamodb = createDynamoDB(config);
const registerBody = createRegisterBody({ ...config, hasMail: config.mailsTable !== undefined });
const register = createRegister({
  directory: createDirectory(dynamodb, config),
  clock: systemClock,
  commonPasswords,
  sources: openSourceLimit(
    config,
    { dynamodb, hashKeys, clock: systemClock },
    { what: "registrations", limit: config.registerLimitPerSourcePerHour, windowSeconds: 3_600 },
  ),
});

export const handler = api().handler(async ({ body, headers, sourceIp: ip, userAgent, requestId }) => {
  const language = chooseLanguage(headers["accept-language"], config.mailLanguages);
  const account = await register({ ...parseBody(registerBody, body), language, ip, userAgent, requestId });
  note({ event: "user_created", userId: account.userId });
  return json(201, account);
});
