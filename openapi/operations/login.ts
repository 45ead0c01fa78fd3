import { hasModes, type Operation, pair, takesBody } from "./operation.ts";

/** The routes of functions/login/, by the names of their functions. */
export const login = {
  login: {
    route: "POST /auth/login",
    tag: "Signing in",
    summary: "Log in",
    description:
      "Starts a session. With an `Idempotency-Key` the session accepts the repeat of a refresh only with the key of that refresh. A second cookie, `{cookieName}-device`, recognises this browser at later logins; it opens nothing.",
    parameters: ["AuthMode", "IdempotencyKey", "SessionKey"],
    body: { schema: "Credentials" },
    answers: [pair],
    problems: [
      ...takesBody,
      ...hasModes,
      "invalid_idempotency_key",
      "invalid_session_key",
      "invalid_credentials",
      "too_many_attempts",
      "too_many_requests",
      "unavailable",
    ],
  },
} satisfies Record<string, Operation>;
