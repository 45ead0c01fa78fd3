import { createLoginByCode } from "../../lib/auth/login/code-confirm.ts";
import { codeTakingSettings, createCodeTaking } from "../../lib/code-taking.ts";
import { readConfig } from "../../lib/config.ts";
import { api } from "../../lib/http/api.ts";
import { parseClientKeys } from "../../lib/http/client-keys.ts";
import { clientMode, openedResponse } from "../../lib/http/client-mode.ts";
import { deviceCookie } from "../../lib/http/device-cookie.ts";
import { loginCodeBody, parseBody } from "../../lib/http/schemas.ts";
import { note } from "../../lib/log.ts";
import { createLoginOpening } from "../../lib/login-opening.ts";
import { createLoginTelling, loginTellingSettings } from "../../lib/login-telling.ts";
import { createOtpTaking, otpTakingSettings } from "../../lib/otp-taking.ts";
import { sessionOpeningSettings } from "../../lib/session-opening.ts";
import { mailsTable } from "../../lib/settings.ts";

const config = readConfig({
  ...{ ...sessionOpeningSettings, ...codeTakingSettings, ...otpTakingSettings, ...loginTellingSettings },
  mailsTable,
});
const opening = await createLoginOpening(config);
const { proveCode, mails } = await createCodeTaking(config, opening.needs);
const loginByCode = createLoginByCode({
  ...{ ...opening, ...opening.needs, proveCode, mails },
  ...{ ...createOtpTaking(config, opening.needs, "login"), ...createLoginTelling(config, opening.needs) },
});

export const handler = api()
  .use(clientMode(config))
  .use(deviceCookie(config))
  .handler(async ({ body, headers, mode, hasCookies, pairs, device: cookie, ...event }) => {
    note({ kind: "login" });
    const clientKeys = parseClientKeys(headers);
    const proof = parseBody(loginCodeBody, body);
    const known = mode === "bearer" ? { device: proof.device, pairs: [] } : { device: cookie, pairs };
    const { userAgent, sourceIp: ip, requestId } = event;
    const opened = await loginByCode({ ...proof, ...clientKeys, ...known, userAgent, ip, requestId });
    note({ event: "authn_login_success", by: "code" });
    await opening.noteSession(opened.pair);
    return openedResponse(opened, { mode, hasCookies }, config);
  });
