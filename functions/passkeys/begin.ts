import { createUserStore } from "../../lib/accounts/store.ts";
import { appNameSettings, findAppName } from "../../lib/app-name.ts";
import { createBeginPasskey } from "../../lib/auth/passkeys/begin.ts";
import { systemClock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import { api } from "../../lib/http/api.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { json } from "../../lib/http/response.ts";
import { openPasskeys, passkeySettings } from "../../lib/passkeys/open-passkeys.ts";
import { freshSeconds } from "../../lib/sessions/fresh.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import {
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
  ...{ ...passkeySettings, ...appNameSettings, ...dynamodbSettings, ...hashKeySettings },
  ...{ usersTable, sessionsTable, mailsTable: ifSet(mailsTable) },
});
const clock = systemClock;
const dynamodb = createDynamoDB(config);
const sessions = createSessionStore(dynamodb, config.sessionsTable);
const keyedHash = createKeyedHash({ hashKeys: await openHashKeys(config, clock), clock });
const beginPasskey = createBeginPasskey({
  ...openPasskeys(config, keyedHash),
  users: createUserStore(dynamodb, config.usersTable),
  rpName: findAppName(config),
  hasMail: config.mailsTable !== undefined,
  clock,
});

export const handler = api()
  .use(await authenticate({ live: sessions, maxAgeSeconds: freshSeconds }))
  .handler(async ({ session }) => json(200, await beginPasskey(session)));
