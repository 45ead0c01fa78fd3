import { createDirectory } from "../../lib/accounts/directory.ts";
import { createInvitations } from "../../lib/accounts/invitations.ts";
import { createAcceptInvitation } from "../../lib/auth/account/invitation.ts";
import { createProveToken } from "../../lib/auth/prove-token.ts";
import { systemClock as clock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { commonPasswords } from "../../lib/factors/common-passwords.ts";
import { api } from "../../lib/http/api.ts";
import { json } from "../../lib/http/response.ts";
import { createAcceptInvitationBody, parseBody } from "../../lib/http/schemas.ts";
import { note } from "../../lib/log.ts";
import { createCodes } from "../../lib/mail/codes.ts";
import { createMailStore } from "../../lib/mail/store.ts";
import {
  codeKeySettings,
  dynamodbSettings,
  identitiesTable,
  mailsTable,
  passwordMinLength,
  usersTable,
} from "../../lib/settings.ts";
import { createKeyedHash } from "../../lib/tokens/keyed-hash.ts";
import { openCodeKeys } from "../../lib/tokens/open-hash-keys.ts";

const tables = { usersTable, identitiesTable, mailsTable };
const config = readConfig({ ...dynamodbSettings, ...codeKeySettings, ...tables, passwordMinLength });
const dynamodb = createDynamoDB(config);
const acceptInvitationBody = createAcceptInvitationBody(config);
const mails = createMailStore(dynamodb, config.mailsTable);
const codes = createCodes(createKeyedHash({ hashKeys: await openCodeKeys(config, clock), clock }));
const acceptInvitation = createAcceptInvitation({
  proveToken: createProveToken({ codes, mails, clock }),
  mails,
  invitations: createInvitations(config.identitiesTable),
  directory: createDirectory(dynamodb, config),
  ...{ commonPasswords, clock },
});

export const handler = api().handler(async ({ body, userAgent, sourceIp: ip, requestId }) => {
  const acceptance = parseBody(acceptInvitationBody, body);
  const { userId, email } = await acceptInvitation({ ...acceptance, userAgent, ip, requestId });
  note({ event: "user_created", by: "invitation", userId });
  return json(201, { userId, email });
});
