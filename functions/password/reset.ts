import { createUserStore } from "../../lib/accounts/store.ts";
import { createForgetAttempts } from "../../lib/attempts/forget-attempts.ts";
import { openAttemptLimit } from "../../lib/attempts/open-limits.ts";
import { createAttemptStore } from "../../lib/attempts/store.ts";
import { createResetPassword } from "../../lib/auth/password/reset.ts";
import { createProveToken } from "../../lib/auth/prove-token.ts";
import { systemClock } from "../../lib/clock.ts";
import { codeTakingSettings, createCodeTaking } from "../../lib/code-taking.ts";
import { readConfig } from "../../lib/config.ts";
import { commonPasswords } from "../../lib/factors/common-passwords.ts";
import { api } from "../../lib/http/api.ts";
import { json } from "../../lib/http/response.ts";
import { createRecoveryBody, createResetPasswordBody, hasToken, parseBody } from "../../lib/http/schemas.ts";
import { note } from "../../lib/log.ts";
import { createOtpTaking, otpTakingSettings } from "../../lib/otp-taking.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import { attemptsTable, passwordMinLength, sessionsTable } from "../../lib/settings.ts";

const config = readConfig({
  ...codeTakingSettings,
  ...otpTakingSettings,
  sessionsTable,
  attemptsTable,
  passwordMinLength,
});
const { dynamodb, keyedHash, mails, codes, proveCode, needs } = await createCodeTaking(config);
const byCode = createResetPasswordBody(config);
const byToken = createRecoveryBody(config);
const resetPassword = createResetPassword({
  ...openAttemptLimit(config, needs),
  ...createOtpTaking(config, needs, "reset"),
  proveCode,
  proveToken: createProveToken({ codes, mails, clock: systemClock }),
  users: createUserStore(dynamodb, config.usersTable),
  sessions: createSessionStore(dynamodb, config.sessionsTable),
  forgetAttempts: createForgetAttempts(createAttemptStore(dynamodb, config.attemptsTable), keyedHash),
  commonPasswords,
  clock: systemClock,
});

export const handler = api().handler(async ({ body, userAgent, sourceIp: ip, requestId }) => {
  note({ kind: "reset" });
  const proof = hasToken(body) ? parseBody(byToken, body) : parseBody(byCode, body);
  const { userId } = await resetPassword({ ...proof, userAgent, ip, requestId });
  note({ event: "authn_password_change", by: "reset", userId });
  return json(200, { msg: "success" });
});
