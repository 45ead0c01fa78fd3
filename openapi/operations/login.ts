import { hasModes, type Operation, opened, opensSession, takesBody } from "./operation.ts";

/** The routes of functions/login/, by the names of their functions. */
export const login = {
  login: {
    route: "POST /auth/login",
    tag: "Signing in",
    summary: "Log in",
    description:
      "Starts a session, and ends the one that this browser had before. With a `Session-Key` nobody renews the session without it. With an `Idempotency-Key` the session accepts the repeat of a refresh only with the key of that refresh. A second cookie, `{cookieName}-device`, recognises this browser at later logins; it opens nothing.",
    parameters: [...opensSession],
    body: { schema: "Credentials" },
    answers: [opened],
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
