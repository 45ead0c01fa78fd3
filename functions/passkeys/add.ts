import { createUserStore } from "../../lib/accounts/store.ts";
import { createAddPasskey } from "../../lib/auth/passkeys/add.ts";
import { systemClock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { api } from "../../lib/http/api.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { callerPair } from "../../lib/http/caller-pair.ts";
import { callerMode } from "../../lib/http/client-mode.ts";
import { addPasskeyBody } from "../../lib/http/passkey-schemas.ts";
import { json } from "../../lib/http/response.ts";
import { parseBody } from "../../lib/http/schemas.ts";
import { note } from "../../lib/log.ts";
import { openPasskeys, passkeySettings } from "../../lib/passkeys/open-passkeys.ts";
import { createParseRegistration } from "../../lib/passkeys/registration.ts";
import { createPasskeyStore } from "../../lib/passkeys/store.ts";
import { freshSeconds } from "../../lib/sessions/fresh.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import {
  cookieName,
  dynamodbSettings,
  hashKeySettings,
  ifSet,
  mailsTable,
  sessionsTable,
  usersTable,
} from "../../lib/settings.ts";
import { createKeyedHash } from "../../lib/tokens/keyed-hash.ts";
import { openHashKeys } from "../../lib/tokens/open-hash-keys.ts";

const config = readConfig({
  ...{ ...passkeySettings, ...dynamodbSettings, ...hashKeySettings, cookieName },
  ...{ usersTable, sessionsTable, mailsTable: ifSet(mailsTable) },
});
const clock = systemClock;
const dynamodb = createDynamoDB(config);
const sessions = createSessionStore(dynamodb, config.sessionsTable);
const keyedHash = createKeyedHash({ hashKeys: await openHashKeys(config, clock), clock });
const addPasskey = createAddPasskey({
  parseRegistration: createParseRegistration(openPasskeys(config, keyedHash)),
  users: createUserStore(dynamodb, config.usersTable),
  passkeys: createPasskeyStore(dynamodb, config.usersTable),
  hasMail: config.mailsTable !== undefined,
  clock,
});

export const handler = api()
  .use(await authenticate({ live: sessions, maxAgeSeconds: freshSeconds }))
  .use(callerMode())
  .use(callerPair(config))
  .handler(async ({ session, body, userAgent, sourceIp: ip, requestId }) => {
    const { passkey, name } = parseBody(addPasskeyBody, body);
    const named = name === undefined ? {} : { name };
    const added = await addPasskey(session, { passkey, ...named, userAgent, ip, requestId });
    note({ event: "authn_factor_added" });
    return json(201, added);
  });
