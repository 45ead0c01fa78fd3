import { ended, hasWholePair, knowsCaller, type Operation, takesBody } from "./operation.ts";

const needs =
  "Needs a session that has not been ended and was opened with a login of the last 300 s – with a second factor, where the account has one –, the whole pair – a bearer client sends `refreshToken` –, and the session's `Session-Key` if it has one.";

const common = {
  tag: "Second factor",
  needs: "token",
  parameters: ["AuthMode", "SessionKey"],
} satisfies Partial<Operation>;

const refusals = [
  ...takesBody,
  ...knowsCaller,
  ...hasWholePair,
  "invalid_idempotency_key",
  "insufficient_user_authentication",
] satisfies Operation["problems"];

const codes = {
  status: 200,
  description: "Ten codes, each of which counts once.",
  schemas: ["RecoveryCodes"],
};

/** The routes of functions/totp/, by the names of their functions. */
export const totp = {
  startTotp: {
    ...common,
    route: "POST /auth/totp",
    summary: "Begin to set up an authenticator app",
    description: `Gives what the app is set up with, and stores nothing. Until a code of it comes back, within ten minutes, an app of before counts. ${needs}`,
    body: { schema: "CallerPair", isOptional: true },
    answers: [{ status: 200, description: "What to show, once.", schemas: ["Enrolment"] }],
    problems: [...refusals, "email_unproven"],
  },
  confirmTotp: {
    ...common,
    route: "POST /auth/totp/confirm",
    summary: "Set up an authenticator app with its first code",
    description: `From now on logins ask for a code. No session ends: offer \`DELETE /auth/sessions?except=current\`. The same request may be sent again, and gives the same recovery codes. ${needs}`,
    body: { schema: "TotpConfirmation" },
    answers: [codes],
    problems: [...refusals, "invalid_otp", "email_unproven"],
  },
  disableTotp: {
    ...common,
    route: "DELETE /auth/totp",
    summary: "Switch the second factor off",
    description: `With its recovery codes. No session ends. ${needs}`,
    body: { schema: "CallerPair", isOptional: true },
    answers: [ended],
    problems: [...refusals, "totp_not_enabled"],
  },
  renewRecoveryCodes: {
    ...common,
    route: "POST /auth/recovery-codes",
    summary: "Make new recovery codes",
    description: `Those of before are void. ${needs}`,
    body: { schema: "CallerPair", isOptional: true },
    answers: [codes],
    problems: [...refusals, "totp_not_enabled"],
  },
} satisfies Record<string, Operation>;
