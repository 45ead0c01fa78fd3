import { createUserStore } from "../../lib/accounts/store.ts";
import { openAttemptLimit } from "../../lib/attempts/open-limits.ts";
import { createAskEmailChange } from "../../lib/auth/email/change.ts";
import { codeAskingSettings, createCodeAsking } from "../../lib/code-asking.ts";
import { readConfig } from "../../lib/config.ts";
import { api } from "../../lib/http/api.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { callerPair } from "../../lib/http/caller-pair.ts";
import { callerMode } from "../../lib/http/client-mode.ts";
import { deviceCookie } from "../../lib/http/device-cookie.ts";
import { json } from "../../lib/http/response.ts";
import { emailChangeBody, parseBody } from "../../lib/http/schemas.ts";
import { note } from "../../lib/log.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import { cookieName, sessionsTable, usersTable } from "../../lib/settings.ts";

const config = readConfig({ ...codeAskingSettings, usersTable, sessionsTable, cookieName });
const { ask, sources, keyedHash, needs } = createCodeAsking(config);
const askEmailChange = createAskEmailChange({
  ...{ ask, sources, users: createUserStore(needs.dynamodb, config.usersTable), clock: needs.clock },
  ...openAttemptLimit(config, needs),
});

export const handler = api()
  .use(await authenticate({ live: createSessionStore(needs.dynamodb, config.sessionsTable) }))
  .use(callerMode())
  .use(callerPair(config))
  .use(deviceCookie(config))
  .handler(async ({ session, body, headers, mode, userAgent, sourceIp: ip, device: cookie }) => {
    const { newEmail, password, device: kept } = parseBody(emailChangeBody, body);
    const device = mode === "bearer" ? kept : cookie;
    const asker = { ip, userAgent, acceptLanguage: headers["accept-language"] };
    note({ kind: "email", emailHash: await keyedHash.hash(`log e-mail:${newEmail}`) });
    const asked = await askEmailChange(session, { newEmail, password, device, ...asker });
    note({ event: "authn_code_requested" });
    return json(202, asked);
  });
