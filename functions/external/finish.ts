import { createDirectory } from "../../lib/accounts/directory.ts";
import { isMailable } from "../../lib/accounts/email.ts";
import { createIdentityStore } from "../../lib/accounts/identities.ts";
import { openSourceLimit } from "../../lib/attempts/open-limits.ts";
import { createFinishSignIn } from "../../lib/auth/external/finish.ts";
import { createFindAccount } from "../../lib/auth/find-account.ts";
import { systemClock as clock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { api } from "../../lib/http/api.ts";
import { parseClientKeys } from "../../lib/http/client-keys.ts";
import { clientMode, openedResponse } from "../../lib/http/client-mode.ts";
import { deviceCookie } from "../../lib/http/device-cookie.ts";
import { flowCookies, serializeClearedFlow } from "../../lib/http/flow-cookie.ts";
import { findReturn } from "../../lib/http/provider-return.ts";
import { finishBody, hasIdToken, idTokenBody } from "../../lib/http/provider-schemas.ts";
import { note } from "../../lib/log.ts";
import { createLoginOpening } from "../../lib/login-opening.ts";
import { createLoginTelling, loginTellingSettings } from "../../lib/login-telling.ts";
import { chooseLanguage } from "../../lib/mail/language.ts";
import { createOtpTaking, otpTakingSettings } from "../../lib/otp-taking.ts";
import { createFlowStore } from "../../lib/providers/flow-store.ts";
import { openRedeem } from "../../lib/providers/open-providers.ts";
import { sessionOpeningSettings } from "../../lib/session-opening.ts";
import {
  identitiesTable,
  identityProviders,
  loginLimitPerSourcePerMinute,
  providerKeySettings,
  registration,
} from "../../lib/settings.ts";

const config = readConfig({
  ...{ ...sessionOpeningSettings, ...otpTakingSettings, ...providerKeySettings },
  ...{ identityProviders, identitiesTable, loginLimitPerSourcePerMinute, registration },
  ...loginTellingSettings,
});
const provider = await openRedeem(config, clock);
const opening = await createLoginOpening(config);
const { needs } = opening;
const { dynamodb } = needs;
const limit = config.loginLimitPerSourcePerMinute;
const finishSignIn = createFinishSignIn({
  ...{ ...opening, ...createOtpTaking(config, needs, "login"), ...createLoginTelling(config, needs), clock },
  flows: createFlowStore(dynamodb, config.attemptsTable),
  redeem: provider.redeem,
  findAccount: createFindAccount({
    users: opening.users,
    identities: createIdentityStore(dynamodb, config.identitiesTable),
    directory: createDirectory(dynamodb, config),
    isClosed: config.registration === "closed",
    isUsableEmail: config.mailsTable === undefined ? () => true : isMailable,
    clock,
  }),
  sources: openSourceLimit(config, needs, { what: "logins", limit, windowSeconds: 60 }),
  noteFailure: (error) => note({ error }),
  noteCreated: () => note({ event: "user_created" }),
});

export const handler = api()
  .use(clientMode(config))
  .use(deviceCookie(config))
  .use(flowCookies(config))
  .handler(async (event) => {
    const { headers, mode, hasCookies, pairs, userAgent, sourceIp: ip, requestId } = event;
    const clientKeys = parseClientKeys(headers);
    const { isReturnOf } = provider;
    const body = hasIdToken(event.body) ? idTokenBody : finishBody;
    const returned = findReturn(event, { body, config, isReturnOf, now: clock() });
    const language = chooseLanguage(headers["accept-language"], config.mailLanguages);
    const known =
      mode === "bearer" ? { device: returned.device, pairs: [] } : { device: event.device, pairs };
    const client = { language, userAgent, ip, requestId };
    const opened = await finishSignIn({ ...returned, ...clientKeys, ...known, ...client });
    note({ event: "authn_login_success", by: "provider" });
    await opening.noteSession(opened.pair);
    const response = openedResponse(opened, { mode, hasCookies }, config);
    const { cookies } = response;
    return {
      ...response,
      ...(cookies && { cookies: [serializeClearedFlow(returned.state, config), ...cookies] }),
    };
  });
