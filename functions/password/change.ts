import { createChangePassword } from "../../lib/auth/password/change.ts";
import { createProveUser } from "../../lib/auth/prove-user.ts";
import { readConfig } from "../../lib/config.ts";
import { commonPasswords } from "../../lib/factors/common-passwords.ts";
import { api } from "../../lib/http/api.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { callerToken } from "../../lib/http/caller-pair.ts";
import { parseClientKeys } from "../../lib/http/client-keys.ts";
import { callerMode, openedResponse } from "../../lib/http/client-mode.ts";
import { deviceCookie } from "../../lib/http/device-cookie.ts";
import { createChangePasswordBody, parseBody } from "../../lib/http/schemas.ts";
import { note } from "../../lib/log.ts";
import { createOtpTaking, otpTakingSettings } from "../../lib/otp-taking.ts";
import { createPasskeyProof } from "../../lib/passkey-proof.ts";
import { optionalPasskeySettings } from "../../lib/passkeys/open-passkeys.ts";
import { createSessionOpening, sessionOpeningSettings } from "../../lib/session-opening.ts";
import { assertSessionKey } from "../../lib/sessions/presented-keys.ts";
import { passwordMinLength } from "../../lib/settings.ts";

const config = readConfig({
  ...{ ...sessionOpeningSettings, ...otpTakingSettings, ...optionalPasskeySettings, passwordMinLength },
});
const opening = await createSessionOpening(config);
const changePasswordBody = createChangePasswordBody(config);
const changePassword = createChangePassword({
  ...{ ...opening, ...opening.needs, commonPasswords },
  proveUser: createProveUser({
    ...{ ...opening, ...opening.needs, ...createOtpTaking(config, opening.needs, "change of password") },
    passkeys: createPasskeyProof(config, opening.needs),
    field: "currentPassword",
  }),
});

export const handler = api()
  .use(await authenticate({ live: opening.sessions }))
  .use(callerMode())
  .use(callerToken(config))
  .use(deviceCookie(config))
  .handler(async ({ session, body, headers, mode, hasCookies, refreshToken, device: cookie, ...event }) => {
    const keys = parseClientKeys(headers);
    assertSessionKey(session, keys.sessionKey);
    const change = parseBody(changePasswordBody, body);
    const device = mode === "bearer" ? change.device : cookie;
    const { userAgent, sourceIp: ip, requestId } = event;
    const client = { ...keys, device, refreshToken, userAgent, ip, requestId };
    const opened = await changePassword(session, { ...change, ...client });
    note({ event: "authn_password_change" });
    return openedResponse(opened, { mode, hasCookies }, config);
  });
