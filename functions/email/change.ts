import { createUserStore } from "../../lib/accounts/store.ts";
import { openAttemptLimit } from "../../lib/attempts/open-limits.ts";
import { createAskEmailChange } from "../../lib/auth/email/change.ts";
import { createProveUser } from "../../lib/auth/prove-user.ts";
import { codeAskingSettings, createCodeAsking } from "../../lib/code-asking.ts";
import { readConfig } from "../../lib/config.ts";
import { api } from "../../lib/http/api.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { callerPair } from "../../lib/http/caller-pair.ts";
import { parseClientKeys } from "../../lib/http/client-keys.ts";
import { callerMode } from "../../lib/http/client-mode.ts";
import { deviceCookie } from "../../lib/http/device-cookie.ts";
import { json } from "../../lib/http/response.ts";
import { emailChangeBody, parseBody } from "../../lib/http/schemas.ts";
import { note } from "../../lib/log.ts";
import { createOtpTaking, otpTakingSettings } from "../../lib/otp-taking.ts";
import { createPasskeyProof } from "../../lib/passkey-proof.ts";
import { optionalPasskeySettings } from "../../lib/passkeys/open-passkeys.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import { cookieName, sessionsTable } from "../../lib/settings.ts";

const config = readConfig({
  ...{ ...codeAskingSettings, ...otpTakingSettings, ...optionalPasskeySettings, sessionsTable, cookieName },
});
const { ask, sources, keyedHash, needs } = await createCodeAsking(config);
const askEmailChange = createAskEmailChange({
  ...{ ask, sources, users: createUserStore(needs.dynamodb, config.usersTable), clock: needs.clock },
  proveUser: createProveUser({
    ...{
      ...openAttemptLimit(config, needs),
      ...createOtpTaking(config, needs, "change of address"),
      clock: needs.clock,
    },
    passkeys: createPasskeyProof(config, needs),
  }),
});

export const handler = api()
  .use(await authenticate({ live: createSessionStore(needs.dynamodb, config.sessionsTable) }))
  .use(callerMode())
  .use(callerPair(config))
  .use(deviceCookie(config))
  .handler(async ({ session, body, headers, mode, refreshToken, device: cookie, ...event }) => {
    const change = parseBody(emailChangeBody, body);
    const device = mode === "bearer" ? change.device : cookie;
    const { userAgent, sourceIp: ip, requestId } = event;
    const client = { ...parseClientKeys(headers), device, refreshToken, userAgent, ip, requestId };
    note({ kind: "email", emailHash: await keyedHash.hash(`log e-mail:${change.newEmail}`) });
    const asker = { ...client, acceptLanguage: headers["accept-language"] };
    const asked = await askEmailChange(session, { ...change, ...asker });
    note({ event: "authn_code_requested" });
    return json(202, asked);
  });
