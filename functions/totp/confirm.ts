import { createConfirmTotp } from "../../lib/auth/totp/confirm.ts";
import { readConfig } from "../../lib/config.ts";
import { api } from "../../lib/http/api.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { callerPair } from "../../lib/http/caller-pair.ts";
import { callerMode } from "../../lib/http/client-mode.ts";
import { json } from "../../lib/http/response.ts";
import { parseBody, totpConfirmationBody } from "../../lib/http/schemas.ts";
import { note } from "../../lib/log.ts";
import { freshSeconds } from "../../lib/sessions/fresh.ts";
import { factorKeySettings, ifSet, mailsTable } from "../../lib/settings.ts";
import { openFactorSecrets } from "../../lib/tokens/open-factor-secrets.ts";
import { createTotpOpening, totpSettings } from "../../lib/totp-opening.ts";

const config = readConfig({ ...totpSettings, ...factorKeySettings, mailsTable: ifSet(mailsTable) });
const opening = createTotpOpening(config);
const confirmTotp = createConfirmTotp({
  ...opening,
  secrets: openFactorSecrets(config, opening.clock),
  hasMail: config.mailsTable !== undefined,
});

export const handler = api()
  .use(await authenticate({ live: opening.sessions, maxAgeSeconds: freshSeconds }))
  .use(callerMode())
  .use(callerPair(config))
  .handler(async ({ session, body, userAgent, sourceIp: ip, requestId }) => {
    const { enrolment, otp } = parseBody(totpConfirmationBody, body);
    const recoveryCodes = await confirmTotp(session, { enrolment, code: otp, userAgent, ip, requestId });
    note({ event: "authn_factor_added" });
    return json(200, { recoveryCodes });
  });
