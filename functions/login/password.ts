import { createIdentityStore } from "../../lib/accounts/identities.ts";
import { openSourceLimit } from "../../lib/attempts/open-limits.ts";
import { createLogin } from "../../lib/auth/login/password.ts";
import { createTellFactorRefused } from "../../lib/auth/tell-factor-refused.ts";
import { createTellNewDevice } from "../../lib/auth/tell-new-device.ts";
import { systemClock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { api } from "../../lib/http/api.ts";
import { parseClientKeys } from "../../lib/http/client-keys.ts";
import { clientMode, openedResponse } from "../../lib/http/client-mode.ts";
import { deviceCookie } from "../../lib/http/device-cookie.ts";
import { loginBody, parseBody } from "../../lib/http/schemas.ts";
import { note } from "../../lib/log.ts";
import { createLoginOpening } from "../../lib/login-opening.ts";
import { createMailStore } from "../../lib/mail/store.ts";
import { createOtpTaking, otpTakingSettings } from "../../lib/otp-taking.ts";
import { sessionOpeningSettings } from "../../lib/session-opening.ts";
import {
  identitiesTable,
  loginLimitPerSourcePerMinute,
  mailLanguages,
  mailsTable,
  newDeviceNotice,
  withMail,
} from "../../lib/settings.ts";

const config = readConfig({
  ...{ ...sessionOpeningSettings, ...otpTakingSettings, identitiesTable, loginLimitPerSourcePerMinute },
  ...{ mailsTable: withMail(mailsTable), mailLanguages, newDeviceNotice },
});
const opening = await createLoginOpening(config);
const { keyedHash, noteSession } = opening;
const limit = config.loginLimitPerSourcePerMinute;
const telling =
  config.mailsTable === undefined
    ? undefined
    : {
        mails: createMailStore(opening.needs.dynamodb, config.mailsTable),
        languages: config.mailLanguages,
        clock: systemClock,
        noteFailure: (error: unknown) => note({ error }),
      };
const login = createLogin({
  ...opening,
  ...createOtpTaking(config, opening.needs),
  identities: createIdentityStore(opening.needs.dynamodb, config.identitiesTable),
  sources: openSourceLimit(config, opening.needs, { what: "logins", limit, windowSeconds: 60 }),
  tellNewDevice: telling && config.newDeviceNotice === "on" ? createTellNewDevice(telling) : undefined,
  tellFactorRefused: telling && createTellFactorRefused(telling),
  clock: systemClock,
});

export const handler = api()
  .use(clientMode(config))
  .use(deviceCookie(config))
  .handler(async ({ body, headers, mode, hasCookies, pairs, device: kept, ...event }) => {
    const clientKeys = parseClientKeys(headers);
    const credentials = parseBody(loginBody, body);
    note({ emailHash: await keyedHash.hash(`log e-mail:${credentials.email}`) });
    const known = mode === "bearer" ? { device: credentials.device, pairs: [] } : { device: kept, pairs };
    const { userAgent, sourceIp: ip, requestId } = event;
    const opened = await login({ ...credentials, ...clientKeys, ...known, userAgent, ip, requestId });
    note({ event: "authn_login_success" });
    await noteSession(opened.pair);
    return openedResponse(opened, { mode, hasCookies }, config);
  });
