import { createRegister } from "../lib/auth/register.ts";
import { systemClock } from "../lib/clock.ts";
import { readConfig, requestSettings } from "../lib/config.ts";
import { createDynamoDB } from "../lib/dynamodb.ts";
import { api } from "../lib/http/api.ts";
import { crossSite } from "../lib/http/cross-site.ts";
import { jsonBody } from "../lib/http/json-body.ts";
import { json } from "../lib/http/response.ts";
import { createRegisterBody, parseBody } from "../lib/http/schemas.ts";
import { readCommonPasswords } from "../lib/users/common-passwords.ts";
import { createUserStore } from "../lib/users/store.ts";

const config = readConfig([...requestSettings, "usersTable", "dynamodbEndpoint", "passwordMinLength"]);
const registerBody = createRegisterBody(config);
const register = createRegister({
  users: createUserStore(createDynamoDB(config), config.usersTable),
  clock: systemClock,
  readCommonPasswords,
});

export const handler = api()
  .use(crossSite(config))
  .use(jsonBody())
  .handler(async ({ body }) => json(201, await register(parseBody(registerBody, body))));
