import { createIdentityStore } from "../../lib/accounts/identities.ts";
import { openSourceLimit } from "../../lib/attempts/open-limits.ts";
import { createLoginByPasskey } from "../../lib/auth/login/passkey.ts";
import { createLogin } from "../../lib/auth/login/password.ts";
import { createTellFactorRefused } from "../../lib/auth/tell-factor-refused.ts";
import { createTellNewDevice } from "../../lib/auth/tell-new-device.ts";
import { systemClock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { api } from "../../lib/http/api.ts";
import { parseClientKeys } from "../../lib/http/client-keys.ts";
import { clientMode, openedResponse } from "../../lib/http/client-mode.ts";
import { deviceCookie } from "../../lib/http/device-cookie.ts";
import { isPasskeyLogin, passkeyLoginBody } from "../../lib/http/passkey-schemas.ts";
import { loginBody, parseBody } from "../../lib/http/schemas.ts";
import { note } from "../../lib/log.ts";
import { createLoginOpening } from "../../lib/login-opening.ts";
import { createOutbox } from "../../lib/mail/outbox.ts";
import { createOtpTaking, otpTakingSettings } from "../../lib/otp-taking.ts";
import { createParseAssertion } from "../../lib/passkeys/assertion.ts";
import { openPasskeys, passkeySettings } from "../../lib/passkeys/open-passkeys.ts";
import { createClaimPasskey } from "../../lib/passkeys/store.ts";
import { sessionOpeningSettings } from "../../lib/session-opening.ts";
import {
  identitiesTable,
  ifSet,
  loginLimitPerSourcePerMinute,
  mailLanguages,
  mailsTable,
  newDeviceNotice,
  passkeyRpId,
} from "../../lib/settings.ts";

const config = readConfig({
  ...{ ...sessionOpeningSettings, ...otpTakingSettings, identitiesTable, loginLimitPerSourcePerMinute },
  ...{ mailsTable: ifSet(mailsTable), mailLanguages, newDeviceNotice },
  ...{ ...passkeySettings, passkeyRpId: ifSet(passkeyRpId) },
});
const opening = await createLoginOpening(config);
const { keyedHash, noteSession } = opening;
const telling =
  config.mailsTable === undefined
    ? undefined
    : {
        mails: createOutbox(opening.needs.dynamodb, config.mailsTable),
        languages: config.mailLanguages,
        clock: systemClock,
        noteFailure: (error: unknown) => note({ error }),
      };
const { passkeyRpId: rpId, loginLimitPerSourcePerMinute: limit } = config;
const shared = {
  ...opening,
  ...createOtpTaking(config, opening.needs),
  sources: openSourceLimit(config, opening.needs, { what: "logins", limit, windowSeconds: 60 }),
  tellNewDevice: telling && config.newDeviceNotice === "on" ? createTellNewDevice(telling) : undefined,
  tellFactorRefused: telling && createTellFactorRefused(telling),
  clock: systemClock,
};
const login = createLogin({
  ...shared,
  identities: createIdentityStore(opening.needs.dynamodb, config.identitiesTable),
});
const loginByPasskey =
  rpId === undefined
    ? undefined
    : createLoginByPasskey({
        ...shared,
        parseAssertion: createParseAssertion(openPasskeys({ ...config, passkeyRpId: rpId }, keyedHash)),
        claimPasskey: createClaimPasskey(opening.needs.dynamodb, config.usersTable),
        noteSuspect: () => note({ event: "authn_passkey_suspect" }),
      });

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
