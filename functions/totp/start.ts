import { appNameSettings, findAppName } from "../../lib/app-name.ts";
import { createStartTotp } from "../../lib/auth/totp/start.ts";
import { readConfig } from "../../lib/config.ts";
import { api } from "../../lib/http/api.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { callerPair } from "../../lib/http/caller-pair.ts";
import { callerMode } from "../../lib/http/client-mode.ts";
import { json } from "../../lib/http/response.ts";
import { callerBody, parseBody } from "../../lib/http/schemas.ts";
import { freshSeconds } from "../../lib/sessions/fresh.ts";
import { factorKeySettings, ifSet, mailsTable } from "../../lib/settings.ts";
import { openFactorSecrets } from "../../lib/tokens/open-factor-secrets.ts";
import { createTotpOpening, totpSettings } from "../../lib/totp-opening.ts";

const mail = { mailsTable: ifSet(mailsTable) };
const config = readConfig({ ...totpSettings, ...factorKeySettings, ...mail, ...appNameSettings });
const opening = createTotpOpening(config);
const startTotp = createStartTotp({
  ...opening,
  secrets: openFactorSecrets(config, opening.clock),
  appName: findAppName(config),
  hasMail: config.mailsTable !== undefined,
});

export const handler = api()
  .use(await authenticate({ live: opening.sessions, maxAgeSeconds: freshSeconds }))
  .use(callerMode())
  .use(callerPair(config))
  .handler(async ({ session, body = {} }) => {
    parseBody(callerBody, body);
    return json(200, await startTotp(session));
  });
