import { createRenewRecoveryCodes } from "../../lib/auth/totp/renew.ts";
import { readConfig } from "../../lib/config.ts";
import { api } from "../../lib/http/api.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { callerPair } from "../../lib/http/caller-pair.ts";
import { callerMode } from "../../lib/http/client-mode.ts";
import { json } from "../../lib/http/response.ts";
import { callerBody, parseBody } from "../../lib/http/schemas.ts";
import { note } from "../../lib/log.ts";
import { freshSeconds } from "../../lib/sessions/fresh.ts";
import { factorKeySettings } from "../../lib/settings.ts";
import { openFactorSecrets } from "../../lib/tokens/open-factor-secrets.ts";
import { createTotpOpening, totpSettings } from "../../lib/totp-opening.ts";

const config = readConfig({ ...totpSettings, ...factorKeySettings });
const opening = createTotpOpening(config);
const secrets = openFactorSecrets(config, opening.clock);
const renewRecoveryCodes = createRenewRecoveryCodes({ ...opening, secrets });

export const handler = api()
  .use(await authenticate({ live: opening.sessions, maxAgeSeconds: freshSeconds }))
  .use(callerMode())
  .use(callerPair(config))
  .handler(async ({ session, body = {}, userAgent, sourceIp: ip, requestId }) => {
    parseBody(callerBody, body);
    const recoveryCodes = await renewRecoveryCodes(session, { userAgent, ip, requestId });
    note({ event: "authn_factor_added" });
    return json(200, { recoveryCodes });
  });
