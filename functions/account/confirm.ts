import { createDirectory } from "../../lib/accounts/directory.ts";
import { createConfirmRegistration } from "../../lib/auth/account/confirm.ts";
import { systemClock } from "../../lib/clock.ts";
import { codeTakingSettings, createCodeTaking } from "../../lib/code-taking.ts";
import { readConfig } from "../../lib/config.ts";
import { commonPasswords } from "../../lib/factors/common-passwords.ts";
import { api } from "../../lib/http/api.ts";
import { createConfirmRegistrationBody } from "../../lib/http/passkey-schemas.ts";
import { json } from "../../lib/http/response.ts";
import { parseBody } from "../../lib/http/schemas.ts";
import { note } from "../../lib/log.ts";
import { openOptionalPasskeys, optionalPasskeySettings } from "../../lib/passkeys/open-passkeys.ts";
import { createParseRegistration } from "../../lib/passkeys/registration.ts";
import { identitiesTable, passwordMinLength, usersTable } from "../../lib/settings.ts";

const config = readConfig({
  ...{ ...codeTakingSettings, ...optionalPasskeySettings, usersTable, identitiesTable, passwordMinLength },
});
const { dynamodb, keyedHash, mails, proveCode } = await createCodeTaking(config);
const passkeys = openOptionalPasskeys(config, keyedHash);
const confirmRegistrationBody = createConfirmRegistrationBody(config);
const confirmRegistration = createConfirmRegistration({
  proveCode,
  mails,
  directory: createDirectory(dynamodb, config),
  commonPasswords,
  parseRegistration: passkeys && createParseRegistration(passkeys),
  clock: systemClock,
});

export const handler = api().handler(async ({ body, userAgent, sourceIp: ip, requestId }) => {
  note({ kind: "register" });
  const proof = parseBody(confirmRegistrationBody, body);
  const account = await confirmRegistration({ ...proof, userAgent, ip, requestId });
  note({ event: "user_created", userId: account.userId });
  return json(201, account);
});
