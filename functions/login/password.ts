import { createIdentityStore } from "../../lib/accounts/identities.ts";
import { openSourceLimit } from "../../lib/attempts/open-limits.ts";
import { createLoginByPasskey } from "../../lib/auth/login/passkey.ts";
import { createLogin } from "../../lib/auth/login/password.ts";
import { readConfig } from "../../lib/config.ts";
import { api } from "../../lib/http/api.ts";
import { parseClientKeys } from "../../lib/http/client-keys.ts";
import { clientMode, openedResponse } from "../../lib/http/client-mode.ts";
import { deviceCookie } from "../../lib/http/device-cookie.ts";
import { isPasskeyLogin, passkeyLoginBody } from "../../lib/http/passkey-schemas.ts";
import { loginBody, parseBody } from "../../lib/http/schemas.ts";
import { note } from "../../lib/log.ts";
import { createLoginOpening } from "../../lib/login-opening.ts";
import { createLoginTelling, loginTellingSettings } from "../../lib/login-telling.ts";
import { createOtpTaking, otpTakingSettings } from "../../lib/otp-taking.ts";
import { createPasskeyProof } from "../../lib/passkey-proof.ts";
import { optionalPasskeySettings } from "../../lib/passkeys/open-passkeys.ts";
import { sessionOpeningSettings } from "../../lib/session-opening.ts";
import { identitiesTable, loginLimitPerSourcePerMinute } from "../../lib/settings.ts";

const config = readConfig({
  ...{ ...sessionOpeningSettings, ...otpTakingSettings, ...loginTellingSettings, ...optionalPasskeySettings },
  ...{ identitiesTable, loginLimitPerSourcePerMinute },
});
const opening = await createLoginOpening(config);
const { keyedHash, noteSession, needs } = opening;
const { dynamodb, clock } = needs;
const limit = config.loginLimitPerSourcePerMinute;
const ways = {
  ...{ ...opening, ...createOtpTaking(config, needs, "login"), ...createLoginTelling(config, needs), clock },
  sources: openSourceLimit(config, needs, { what: "logins", limit, windowSeconds: 60 }),
};
const login = createLogin({ ...ways, identities: createIdentityStore(dynamodb, config.identitiesTable) });
const passkeys = createPasskeyProof(config, needs);
const loginByPasskey = passkeys && createLoginByPasskey({ ...ways, passkeys });

export const handler = api()
  .use(clientMode(config))
  .use(deviceCookie(config))
  .handler(async ({ body, headers, mode, hasCookies, pairs, device: kept, ...event }) => {
    const { userAgent, sourceIp: ip, requestId } = event;
    const request = { ...parseClientKeys(headers), userAgent, ip, requestId };
    const known = (device: string | undefined) =>
      mode === "bearer" ? { device, pairs: [] } : { device: kept, pairs };
    async function open() {
      if (loginByPasskey && isPasskeyLogin(body)) {
        const { passkey, device } = parseBody(passkeyLoginBody, body);
        return loginByPasskey({ passkey, ...request, ...known(device) });
      }
      const credentials = parseBody(loginBody, body);
      note({ emailHash: await keyedHash.hash(`log e-mail:${credentials.email}`) });
      return login({ ...credentials, ...request, ...known(credentials.device) });
    }
    const opened = await open();
    note({ event: "authn_login_success" });
    await noteSession(opened.pair);
    return openedResponse(opened, { mode, hasCookies }, config);
  });
