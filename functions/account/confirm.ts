import { createDirectory } from "../../lib/accounts/directory.ts";
import { createConfirmRegistration } from "../../lib/auth/account/confirm.ts";
import { systemClock } from "../../lib/clock.ts";
import { codeTakingSettings, createCodeTaking } from "../../lib/code-taking.ts";
import { readConfig } from "../../lib/config.ts";
import { readCommonPasswords } from "../../lib/factors/common-passwords.ts";
import { api } from "../../lib/http/api.ts";
import { json } from "../../lib/http/response.ts";
import { createConfirmRegistrationBody, parseBody } from "../../lib/http/schemas.ts";
import { note } from "../../lib/log.ts";
import { identitiesTable, passwordMinLength, usersTable } from "../../lib/settings.ts";

const config = readConfig({ ...codeTakingSettings, usersTable, identitiesTable, passwordMinLength });
const { dynamodb, mails, proveCode } = createCodeTaking(config);
const confirmRegistrationBody = createConfirmRegistrationBody(config);
const confirmRegistration = createConfirmRegistration({
  proveCode,
  mails,
  directory: createDirectory(dynamodb, config),
  readCommonPasswords,
  clock: systemClock,
});

export const handler = api().handler(async ({ body, userAgent, sourceIp: ip, requestId }) => {
  note({ kind: "register" });
  const proof = parseBody(confirmRegistrationBody, body);
  const account = await confirmRegistration({ ...proof, userAgent, ip, requestId });
  note({ event: "user_created", userId: account.userId });
  return json(201, account);
});
