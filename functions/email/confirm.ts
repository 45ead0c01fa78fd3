import { createMoves } from "../../lib/accounts/moves.ts";
import { createConfirmEmailChange } from "../../lib/auth/email/confirm.ts";
import { codeTakingSettings, createCodeTaking } from "../../lib/code-taking.ts";
import { readConfig } from "../../lib/config.ts";
import { api } from "../../lib/http/api.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { callerPair } from "../../lib/http/caller-pair.ts";
import { parseClientKeys } from "../../lib/http/client-keys.ts";
import { callerMode, openedResponse } from "../../lib/http/client-mode.ts";
import { deviceCookie } from "../../lib/http/device-cookie.ts";
import { json } from "../../lib/http/response.ts";
import { emailConfirmationBody, parseBody } from "../../lib/http/schemas.ts";
import { note } from "../../lib/log.ts";
import { createSessionOpening, sessionOpeningSettings } from "../../lib/session-opening.ts";
import { identitiesTable } from "../../lib/settings.ts";

const config = readConfig({ ...sessionOpeningSettings, ...codeTakingSettings, identitiesTable });
const opening = await createSessionOpening(config);
const confirmEmailChange = createConfirmEmailChange({
  ...{ ...opening, ...opening.needs },
  moves: createMoves(opening.needs.dynamodb, config),
  proveCode: (await createCodeTaking(config, opening.needs)).proveCode,
});

export const handler = api()
  .use(await authenticate({ live: opening.sessions }))
  .use(callerMode())
  .use(callerPair(config))
  .use(deviceCookie(config))
  .handler(async ({ session, body, headers, mode, hasCookies, device: cookie, ...event }) => {
    note({ kind: "email" });
    const { challenge, code, device: kept } = parseBody(emailConfirmationBody, body);
    const keys = parseClientKeys(headers);
    const device = mode === "bearer" ? kept : cookie;
    const { userAgent, sourceIp: ip, requestId } = event;
    const presented = { challenge, code, device, ...keys };
    const { email, opened } = await confirmEmailChange(session, {
      ...presented,
      userAgent,
      ip,
      requestId,
    });
    note({ event: "user_updated" });
    if (!opened) return json(200, { msg: "success", email });
    return openedResponse(opened, { mode, hasCookies }, config, { email });
  });
