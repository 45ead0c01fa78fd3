import { createIdentityStore } from "../../lib/accounts/identities.ts";
import { openSourceLimit } from "../../lib/attempts/open-limits.ts";
import { createEndEarlierSessions } from "../../lib/auth/end-earlier-sessions.ts";
import { createLogin } from "../../lib/auth/login/password.ts";
import { createTellNewDevice } from "../../lib/auth/tell-new-device.ts";
import { systemClock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { api } from "../../lib/http/api.ts";
import { parseClientKeys } from "../../lib/http/client-keys.ts";
import { clientMode, openedResponse } from "../../lib/http/client-mode.ts";
import { deviceCookie } from "../../lib/http/device-cookie.ts";
import { loginBody, parseBody } from "../../lib/http/schemas.ts";
import { note } from "../../lib/log.ts";
import { createMailStore } from "../../lib/mail/store.ts";
import { createSessionOpening, sessionOpeningSettings } from "../../lib/session-opening.ts";
import { createSessionNote } from "../../lib/sessions/note.ts";
import {
  identitiesTable,
  loginLimitPerSourcePerMinute,
  mailLanguages,
  mailsTable,
  newDeviceNotice,
  withMail,
} from "../../lib/settings.ts";
import { createKeyedHash } from "../../lib/tokens/keyed-hash.ts";
import { importVerificationKeys } from "../../lib/tokens/keys.ts";
import { createExpiredTokenVerifier } from "../../lib/tokens/verify-access-token.ts";

const config = readConfig({
  ...{ ...sessionOpeningSettings, identitiesTable, loginLimitPerSourcePerMinute },
  ...{ mailsTable: withMail(mailsTable), mailLanguages, newDeviceNotice },
});
const opening = await createSessionOpening(config);
const keyedHash = createKeyedHash(opening.needs);
const noteSession = createSessionNote(keyedHash);
const keys = await importVerificationKeys(config.jwtPublicKeys);
const limit = config.loginLimitPerSourcePerMinute;
const noteFailure = (error: unknown) => note({ error });
const login = createLogin({
  ...opening,
  identities: createIdentityStore(opening.needs.dynamodb, config.identitiesTable),
  sources: openSourceLimit(config, opening.needs, { what: "logins", limit, windowSeconds: 60 }),
  endEarlierSessions: createEndEarlierSessions({
    sessions: opening.sessions,
    verifyExpiredToken: createExpiredTokenVerifier({ ...config, keys, clock: systemClock }),
    noteFailure,
  }),
  tellNewDevice:
    config.mailsTable !== undefined && config.newDeviceNotice === "on"
      ? createTellNewDevice({
          mails: createMailStore(opening.needs.dynamodb, config.mailsTable),
          languages: config.mailLanguages,
          clock: systemClock,
          noteFailure,
        })
      : undefined,
});

export const handler = api()
  .use(clientMode(config))
  .use(deviceCookie(config))
  .handler(async ({ body, headers, mode, hasCookies, pairs, userAgent, sourceIp: ip, device: kept }) => {
    const clientKeys = parseClientKeys(headers);
    const credentials = parseBody(loginBody, body);
    note({ emailHash: await keyedHash.hash(`log e-mail:${credentials.email}`) });
    const known = mode === "bearer" ? { device: credentials.device, pairs: [] } : { device: kept, pairs };
    const opened = await login({ ...credentials, ...clientKeys, ...known, userAgent, ip });
    note({ event: "authn_login_success" });
    await noteSession(opened.pair);
    return openedResponse(opened, { mode, hasCookies }, config);
  });
