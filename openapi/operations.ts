import type { ProblemCode } from "../lib/errors.ts";
import type { HeaderName } from "./headers.ts";
import type { ParameterName } from "./parameters.ts";
import type { SchemaName } from "./schemas.ts";

/** One route of the service. */
export interface Operation {
  /** As serverless.yml names it. */
  route: string;
  tag: TagName;
  summary: string;
  description?: string;
  /** Which credentials count: none, a live access token, or a pair (cookie, or body with `Auth-Mode: bearer`). */
  needs?: "token" | "pair" | "pair or token";
  parameters?: ParameterName[];
  body?: { schema: SchemaName; isOptional?: boolean };
  answers: Answer[];
  /** What it may refuse with, besides `internal_error`, which no route is free of. */
  problems: ProblemCode[];
}

/** An answer of a route that did what it was asked. */
interface Answer {
  status: number;
  description: string;
  /** What the body may be; none: no body. */
  schemas?: SchemaName[];
  mediaType?: string;
  headers?: HeaderName[];
}

/** The groups of routes, in the order of the reference page. */
export const tags = {
  "Signing in": "An account, a session, its renewal and its end.",
  Account: "What belongs to the signed-in user.",
  Sessions: "Where the user is signed in.",
  Sample: "A protected resource to copy.",
  Documents:
    "What machines and people read to use the service. Anybody may keep keys and metadata for ten minutes.",
} as const;

type TagName = keyof typeof tags;

const takesBody = ["cross_site_request", "body_too_large", "unsupported_media_type", "invalid_body"] as const;
const knowsCaller = ["missing_credentials", "invalid_token", "conflicting_credentials"] as const;
const hasModes = ["invalid_auth_mode", "conflicting_credentials"] as const;
const pair: Answer = {
  status: 200,
  description:
    "The session's pair: in the cookie, and the body says no more than `success`; with `Auth-Mode: bearer` in the body, and there is no cookie.",
  schemas: ["Done", "Pair"],
  headers: ["Set-Cookie"],
};
const ended: Answer = { status: 204, description: "Done. There is no body." };

const unchanged: Answer = {
  status: 304,
  description: "Nothing has changed since. There is no body.",
  headers: ["Cache-Control", "ETag"],
};

/** Every route by the name of its function in serverless.yml. */
export const operations: Record<string, Operation> = {
  register: {
    route: "POST /auth/register",
    tag: "Signing in",
    summary: "Create an account",
    description:
      "Creates an account and signs nobody in. A password is refused when it is among the most common ones or contains the e-mail address; there are no rules of composition.",
    body: { schema: "Registration" },
    answers: [{ status: 201, description: "The account is there.", schemas: ["NewAccount"] }],
    problems: [...takesBody, "email_taken", "too_many_requests", "unavailable"],
  },
  login: {
    route: "POST /auth/login",
    tag: "Signing in",
    summary: "Log in",
    description:
      "Starts a session. With an `Idempotency-Key` the session accepts the repeat of a refresh only with the key of that refresh. A second cookie, `{cookieName}-device`, recognises this browser at later logins; it opens nothing.",
    parameters: ["AuthMode", "IdempotencyKey"],
    body: { schema: "Credentials" },
    answers: [pair],
    problems: [
      ...takesBody,
      ...hasModes,
      "invalid_idempotency_key",
      "invalid_credentials",
      "too_many_attempts",
      "too_many_requests",
      "unavailable",
    ],
  },
  refresh: {
    route: "POST /auth/refresh",
    tag: "Signing in",
    summary: "Renew the session",
    description:
      "Replaces the pair by its successor; the access token may have expired. Repeats of one refresh get the same bytes. A spent pair that comes back later ends its session.",
    needs: "pair",
    parameters: ["AuthMode", "IdempotencyKey"],
    body: { schema: "PresentedPair", isOptional: true },
    answers: [pair],
    problems: [
      ...takesBody,
      ...hasModes,
      "invalid_idempotency_key",
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
      "Ends the session if the credentials are genuine, expired or not, and clears the cookie in any case.",
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
  changePassword: {
    route: "POST /auth/password",
    tag: "Account",
    summary: "Change the password",
    description:
      "Ends every other session of the user; this one goes on. Needs a session that has not been ended.",
    needs: "token",
    body: { schema: "PasswordChange" },
    answers: [{ status: 200, description: "The new password holds.", schemas: ["Done"] }],
    problems: [...takesBody, ...knowsCaller, "invalid_credentials", "too_many_attempts", "unavailable"],
  },
  exportAccount: {
    route: "GET /auth/account",
    tag: "Account",
    summary: "Everything stored about the caller",
    description: "All but hashes, salts and counters.",
    needs: "token",
    answers: [{ status: 200, description: "The account with its sessions.", schemas: ["Account"] }],
    problems: [...knowsCaller, "unavailable"],
  },
  deleteAccount: {
    route: "DELETE /auth/account",
    tag: "Account",
    summary: "Delete the account",
    description:
      "Deletes the account and all its sessions. Needs a session that has not been ended, and the password.",
    needs: "token",
    body: { schema: "PasswordOnly" },
    answers: [ended],
    problems: [...takesBody, ...knowsCaller, "invalid_credentials", "too_many_attempts", "unavailable"],
  },
  listSessions: {
    route: "GET /auth/sessions",
    tag: "Sessions",
    summary: "List the live sessions",
    description: "Newest first, 100 at a time.",
    needs: "token",
    parameters: ["Cursor"],
    answers: [{ status: 200, description: "One page of sessions.", schemas: ["SessionPage"] }],
    problems: [...knowsCaller, "invalid_cursor", "unavailable"],
  },
  revokeSession: {
    route: "DELETE /auth/sessions/{sessionId}",
    tag: "Sessions",
    summary: "End one session",
    description: "It is not renewed any more; its last access token opens protected routes until it expires.",
    needs: "token",
    parameters: ["SessionId"],
    answers: [ended],
    problems: [...takesBody, ...knowsCaller, "not_found", "unavailable"],
  },
  revokeAllSessions: {
    route: "DELETE /auth/sessions",
    tag: "Sessions",
    summary: "Log out everywhere",
    description: "Ends every session of the user, and those whose login is under way.",
    needs: "token",
    parameters: ["Except"],
    answers: [ended],
    problems: [...takesBody, ...knowsCaller, "invalid_query", "unavailable"],
  },
  movies: {
    route: "GET /movies",
    tag: "Sample",
    summary: "A protected list",
    description: "The sample to copy for your own protected routes. No database is asked.",
    needs: "token",
    answers: [{ status: 200, description: "The list.", schemas: ["Movies"] }],
    problems: [...knowsCaller],
  },
  jwks: {
    route: "GET /.well-known/jwks.json",
    tag: "Documents",
    summary: "The public keys",
    description: "A JWK set (RFC 7517): whoever verifies access tokens looks up the `kid` here.",
    answers: [
      {
        status: 200,
        description: "The keys.",
        schemas: ["JwkSet"],
        headers: ["Cache-Control"],
      },
    ],
    problems: [],
  },
  discovery: {
    route: "GET /.well-known/openid-configuration",
    tag: "Documents",
    summary: "The issuer's metadata",
    description:
      "What verifiers look for (OpenID Connect Discovery 1.0). The service issues no codes and no ID tokens.",
    answers: [
      { status: 200, description: "The metadata.", schemas: ["Metadata"], headers: ["Cache-Control"] },
    ],
    problems: [],
  },
  openapi: {
    route: "GET /openapi.json",
    tag: "Documents",
    summary: "This description",
    parameters: ["IfNoneMatch"],
    answers: [
      {
        status: 200,
        description: "An OpenAPI 3.1 document.",
        schemas: ["Description"],
        headers: ["Cache-Control", "ETag"],
      },
      unchanged,
    ],
    problems: [],
  },
  docs: {
    route: "GET /docs",
    tag: "Documents",
    summary: "This description as a page",
    parameters: ["IfNoneMatch"],
    answers: [
      {
        status: 200,
        description: "An HTML page.",
        schemas: ["Page"],
        mediaType: "text/html",
        headers: ["Cache-Control", "ETag"],
      },
      unchanged,
    ],
    problems: [],
  },
};
