import { createUserStore } from "../../lib/accounts/store.ts";
import { openSourceLimit } from "../../lib/attempts/open-limits.ts";
import { createRegister } from "../../lib/auth/account/register.ts";
import { systemClock } from "../../lib/clock.ts";
import { attemptSettings, readConfig, requestSettings } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { readCommonPasswords } from "../../lib/factors/common-passwords.ts";
import { api } from "../../lib/http/api.ts";
import { crossSite } from "../../lib/http/cross-site.ts";
import { jsonBody } from "../../lib/http/json-body.ts";
import { json } from "../../lib/http/response.ts";
import { createRegisterBody, parseBody } from "../../lib/http/schemas.ts";
import { note } from "../../lib/log.ts";
import { openSigningKeys } from "../../lib/tokens/open-signing-keys.ts";

const config = readConfig([
  ...requestSettings,
  ...attemptSettings,
  "usersTable",
  "dynamodbEndpoint",
  "passwordMinLength",
  "registerLimitPerSourcePerHour",
]);
const signingKeys = await openSigningKeys(config, systemClock);
const dynamodb = createDynamoDB(config);
const registerBody = createRegisterBody(config);
const register = createRegister({
  users: createUserStore(dynamodb, config.usersTable),
  clock: systemClock,
  readCommonPasswords,
  sources: openSourceLimit(
    config,
    { dynamodb, signingKeys, clock: systemClock },
    { what: "registrations", limit: config.registerLimitPerSourcePerHour, windowSeconds: 3_600 },
  ),
});

export const handler = api()
  .use(crossSite(config))
  .use(jsonBody())
  .handler(async ({ body, sourceIp: ip }) => {
    const account = await register({ ...parseBody(registerBody, body), ip });
    note({ event: "user_created", userId: account.userId });
    return json(201, account);
  });
