import { ended, hasModes, knowsCaller, type Operation, pair, takesBody } from "./operation.ts";

/** The routes of functions/session/, by the names of their functions. */
export const session = {
  refresh: {
    route: "POST /auth/refresh",
    tag: "Signing in",
    summary: "Renew the session",
    description:
      "Replaces the pair by its successor; the access token may have expired. Repeats of one refresh get the same bytes. A spent pair that comes back later ends its session.",
    needs: "pair",
    parameters: ["AuthMode", "IdempotencyKey", "IdempotencyKeyPrevious", "SessionKey"],
    body: { schema: "PresentedPair", isOptional: true },
    answers: [pair],
    problems: [
      ...takesBody,
      ...hasModes,
      "invalid_idempotency_key",
      "invalid_session_key",
      "session_key_required",
      "missing_credentials",
      "invalid_jwt_token",
      "invalid_refresh_token",
      "token_expired",
      "unavailable",
    ],
  },
  logout: {
    route: "POST /auth/logout",
    tag: "Signing in",
    summary: "Log out",
    description:
      "Ends the session if the credentials are genuine, expired or not (of several cookies of the name each that is), and clears the cookie in any case.",
    needs: "pair or token",
    parameters: ["AuthMode"],
    body: { schema: "PresentedPair", isOptional: true },
    answers: [
      {
        status: 200,
        description: "Signed out. The cookie is cleared, unless the caller is a bearer client.",
        schemas: ["Done"],
        headers: ["Set-Cookie"],
      },
    ],
    problems: [...takesBody, ...hasModes, "unavailable"],
  },
  me: {
    route: "GET /auth/me",
    tag: "Account",
    summary: "Who is signed in",
    description: "The claims of the caller's access token. No database is asked.",
    needs: "token",
    answers: [{ status: 200, description: "The claims.", schemas: ["Claims"] }],
    problems: [...knowsCaller],
  },
  listSessions: {
    route: "GET /auth/sessions",
    tag: "Sessions",
    summary: "List the live sessions",
    description:
      "In the order of their ids, which are random. A page is 100 sessions without those of them that are over: it may be shorter, or empty, while `nextCursor` names the next one.",
    needs: "token",
    parameters: ["Cursor"],
    answers: [{ status: 200, description: "One page of sessions.", schemas: ["SessionPage"] }],
    problems: [...knowsCaller, "invalid_cursor"],
  },
  revokeAllSessions: {
    route: "DELETE /auth/sessions",
    tag: "Sessions",
    summary: "Log out everywhere",
    description:
      "Ends every session of the user, and those whose login is under way. With `except=current` this one goes on: that needs a login of the last 300 s, and the session's `Session-Key` if it has one; the device cookie is set anew (a bearer client gets `device`). Needs a session that has not been ended.",
    needs: "token",
    parameters: ["AuthMode", "Except", "SessionKey"],
    answers: [
      { ...ended, headers: ["Set-Cookie"] },
      {
        status: 200,
        description: "Of a bearer client with `except=current`: done, and what it is to keep.",
        schemas: ["DoneWithDevice"],
      },
    ],
    problems: [
      ...takesBody,
      ...knowsCaller,
      "invalid_auth_mode",
      "insufficient_user_authentication",
      "invalid_session_key",
      "session_key_required",
      "invalid_query",
    ],
  },
  revokeSession: {
    route: "DELETE /auth/sessions/{sessionId}",
    tag: "Sessions",
    summary: "End one session",
    description: "It is not renewed any more; its last access token opens protected routes until it expires.",
    needs: "token",
    parameters: ["SessionId"],
    answers: [ended],
    problems: [...takesBody, ...knowsCaller, "not_found"],
  },
} satisfies Record<string, Operation>;
