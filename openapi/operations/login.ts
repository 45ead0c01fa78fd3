import { codeAsked, hasModes, type Operation, opened, opensSession, takesBody } from "./operation.ts";

/** The routes of functions/login/, by the names of their functions. */
export const login = {
  login: {
    route: "POST /auth/login",
    tag: "Signing in",
    summary: "Log in",
    description:
      "Starts a session, and ends the one that this browser had before. With a `Session-Key` nobody renews the session without it. With an `Idempotency-Key` the session accepts the repeat of a refresh only with the key of that refresh. A second cookie, `{cookieName}-device`, recognises this browser at later logins; it opens nothing. An account with a second factor is asked for `otp` in the same request: a login without it is refused, stores nothing and gives nothing. In place of e-mail address and password `passkey` may come, where there are passkeys: what the browser answered to `POST /auth/login/challenge`.",
    parameters: [...opensSession],
    body: { schema: "Credentials", orSchema: "PasskeyLogin" },
    answers: [opened],
    problems: [
      ...takesBody,
      ...hasModes,
      "invalid_idempotency_key",
      "invalid_session_key",
      "invalid_credentials",
      "second_factor_required",
      "invalid_otp",
      "invalid_passkey",
      "unknown_passkey",
      "too_many_attempts",
      "too_many_requests",
      "unavailable",
    ],
  },
  askLoginCode: {
    route: "POST /auth/login/code",
    tag: "By mail",
    summary: "Ask for a code to log in with",
    description:
      "Mails a code to the address, if it has an account; the answer is the same if it has none. Only where the operator allows it (`EMAIL_LOGIN`).",
    body: { schema: "CodeRequest" },
    answers: [codeAsked],
    problems: [...takesBody, "too_many_requests", "unavailable"],
  },
  confirmLoginCode: {
    route: "POST /auth/login/code/confirm",
    tag: "By mail",
    summary: "Log in with a code",
    description:
      "Starts a session as a login does. The code counts with the challenge of the answer that it was asked for with, five tries long, and opens one session; the same request may be sent again with its `Idempotency-Key`, and opens another. Where this is the first proof of the address, every earlier session is ended, and neither a password nor another way in opens the account any more: set a password by `POST /auth/password/forgot`. An account with a second factor is asked for `otp`, and keeps all it has; without it the mailed code is not used up.",
    parameters: [...opensSession],
    body: { schema: "CodeLogin" },
    answers: [opened],
    problems: [
      ...takesBody,
      ...hasModes,
      "invalid_idempotency_key",
      "invalid_session_key",
      "invalid_code",
      "code_expired",
      "second_factor_required",
      "invalid_otp",
      "too_many_attempts",
      "unavailable",
    ],
  },
} satisfies Record<string, Operation>;
