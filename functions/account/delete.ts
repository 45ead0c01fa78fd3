import { createDirectory } from "../../lib/accounts/directory.ts";
import { createEndOthers } from "../../lib/accounts/end-others.ts";
import { createUserStore } from "../../lib/accounts/store.ts";
import { openAttemptLimit } from "../../lib/attempts/open-limits.ts";
import { createDeleteAccount } from "../../lib/auth/account/delete.ts";
import { createProveUser } from "../../lib/auth/prove-user.ts";
import { systemClock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { api } from "../../lib/http/api.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { callerToken } from "../../lib/http/caller-pair.ts";
import { parseClientKeys } from "../../lib/http/client-keys.ts";
import { callerMode } from "../../lib/http/client-mode.ts";
import { deviceCookie } from "../../lib/http/device-cookie.ts";
import { noContent } from "../../lib/http/response.ts";
import { parseBody, proofBody } from "../../lib/http/schemas.ts";
import { note } from "../../lib/log.ts";
import { createOtpTaking, otpTakingSettings } from "../../lib/otp-taking.ts";
import { createPasskeyProof } from "../../lib/passkey-proof.ts";
import { optionalPasskeySettings } from "../../lib/passkeys/open-passkeys.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import {
  attemptsTable,
  cookieName,
  dynamodbSettings,
  hashKeySettings,
  identitiesTable,
  sessionsTable,
} from "../../lib/settings.ts";
import { openHashKeys } from "../../lib/tokens/open-hash-keys.ts";

const config = readConfig({
  ...dynamodbSettings,
  ...hashKeySettings,
  ...otpTakingSettings,
  ...optionalPasskeySettings,
  identitiesTable,
  sessionsTable,
  attemptsTable,
  cookieName,
});
const hashKeys = await openHashKeys(config, systemClock);
const dynamodb = createDynamoDB(config);
const users = createUserStore(dynamodb, config.usersTable);
const sessions = createSessionStore(dynamodb, config.sessionsTable);
const needs = { dynamodb, hashKeys, clock: systemClock };
const deleteAccount = createDeleteAccount({
  ...{ users, sessions, clock: systemClock },
  proveUser: createProveUser({
    ...{
      ...openAttemptLimit(config, needs),
      ...createOtpTaking(config, needs, "deletion"),
      clock: systemClock,
    },
    passkeys: createPasskeyProof(config, needs),
  }),
  endOthers: createEndOthers(dynamodb, config),
  directory: createDirectory(dynamodb, config),
});

export const handler = api()
  .use(await authenticate({ live: sessions }))
  .use(callerMode())
  .use(callerToken(config))
  .use(deviceCookie(config))
  .handler(async ({ session, mode, body = {}, headers, refreshToken, device: cookie, ...event }) => {
    const { device: kept, ...proof } = parseBody(proofBody, body);
    const device = mode === "bearer" ? kept : cookie;
    const { userAgent, sourceIp: ip, requestId } = event;
    const client = { ...parseClientKeys(headers), device, refreshToken, userAgent, ip, requestId };
    await deleteAccount(session, { ...proof, ...client });
    note({ event: "user_deleted" });
    return noContent();
  });
