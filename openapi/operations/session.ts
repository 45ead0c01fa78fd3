import { createInstructions } from "../../lib/http/device-binding.ts";
import { type Component, type JsonSchema, object, text } from "../schemas.ts";
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
    answers: [
      pair,
      {
        status: 307,
        description:
          "Of a session that is bound to the browser: it proves its key, and asks again by itself. Nothing was changed.",
        headers: ["Location", "Set-Cookie"],
      },
    ],
    problems: [
      ...takesBody,
      ...hasModes,
      "invalid_idempotency_key",
      "invalid_session_key",
      "session_key_required",
      "device_proof_required",
      "missing_credentials",
      "invalid_jwt_token",
      "invalid_refresh_token",
      "token_expired",
      "unavailable",
    ],
  },
  proveDevice: {
    route: "POST /auth/device",
    tag: "Signing in",
    summary: "Prove the browser's key",
    description:
      "Asked by browsers themselves (W3C Device Bound Session Credentials), never by an application: after a login they bind a key to the session, and with it they renew the pair. Where the operator has not switched that on, this route is not there.",
    needs: "pair",
    parameters: ["SecureSessionId", "SecureSessionResponse"],
    answers: [
      {
        status: 200,
        description:
          "Without `Sec-Secure-Session-Id`: the key is bound, and this is what the browser does with it.",
        schemas: ["DeviceInstructions"],
        headers: ["Set-Cookie", "Secure-Session-Challenge"],
      },
      {
        status: 204,
        description: "With it: the pair's successor is in the cookie.",
        headers: ["Set-Cookie", "Secure-Session-Challenge"],
      },
    ],
    problems: [
      ...takesBody,
      "missing_credentials",
      "invalid_device_proof",
      "device_proof_required",
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

const list = (items: JsonSchema): JsonSchema => ({ type: "array", items });

/** The schemas of these routes. */
export const sessionSchemas: Record<string, Component> = {
  DeviceInstructions: {
    schema: object({
      session_identifier: text("What browsers call the session: one name for all."),
      refresh_url: text("Where the browser proves its key."),
      scope: object({
        include_site: { type: "boolean", const: false },
        scope_specification: list(
          object({
            type: { type: "string", const: "exclude" },
            domain: text("This host."),
            path: text("Asked without a proof."),
          }),
        ),
      }),
      credentials: list(
        object({
          type: { type: "string", const: "cookie" },
          name: text("The cookie whose absence makes the browser prove its key. It opens nothing."),
          attributes: text("Those of the cookie."),
        }),
      ),
      allowed_refresh_initiators: list(text("The host of another page that may have it proven.")),
    }),
    example: createInstructions({
      ...{ stage: "prod", issuer: "https://auth.example.com", allowedOrigins: [] },
      ...{ cookieName: "__Host-auth-cookie", cookieSameSite: "Strict", cookieDomain: undefined },
    }),
  },
};
