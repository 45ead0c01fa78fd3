import { createDisableTotp } from "../../lib/auth/totp/disable.ts";
import { readConfig } from "../../lib/config.ts";
import { api } from "../../lib/http/api.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { callerPair } from "../../lib/http/caller-pair.ts";
import { callerMode } from "../../lib/http/client-mode.ts";
import { noContent } from "../../lib/http/response.ts";
import { callerBody, parseBody } from "../../lib/http/schemas.ts";
import { note } from "../../lib/log.ts";
import { freshSeconds } from "../../lib/sessions/fresh.ts";
import { createTotpOpening, totpSettings } from "../../lib/totp-opening.ts";

const config = readConfig(totpSettings);
const opening = createTotpOpening(config);
const disableTotp = createDisableTotp(opening);

export const handler = api()
  .use(await authenticate({ live: opening.sessions, maxAgeSeconds: freshSeconds }))
  .use(callerMode())
  .use(callerPair(config))
  .handler(async ({ session, body = {}, userAgent, sourceIp: ip, requestId }) => {
    parseBody(callerBody, body);
    await disableTotp(session, { userAgent, ip, requestId });
    note({ event: "authn_factor_removed" });
    return noContent();
  });
