import type { RefusalReason, SecurityEvent } from "./events.ts";

/** One kind of refusal. */
export interface Problem {
  status: number;
  title: string;
  /** What the log calls it; by default it is a request that was not valid. */
  event?: SecurityEvent;
}

/** Every problem the API answers, by its stable code: HTTP status and title (RFC 9457, section 3.1). */
export const problems = {
  invalid_body: { status: 400, title: "Invalid request body" },
  invalid_code: { status: 400, title: "Wrong code", event: "authn_login_fail" },
  code_expired: { status: 400, title: "Code expired" },
  invalid_auth_mode: { status: 400, title: "Unknown Auth-Mode" },
  invalid_idempotency_key: { status: 400, title: "Invalid Idempotency-Key" },
  invalid_session_key: { status: 400, title: "Invalid Session-Key" },
  invalid_cursor: { status: 400, title: "Invalid cursor" },
  invalid_query: { status: 400, title: "Invalid query" },
  conflicting_credentials: { status: 400, title: "Two kinds of credentials" },
  invalid_jwt_token: { status: 400, title: "Invalid JWT", event: "authn_token_invalid" },
  invalid_refresh_token: { status: 400, title: "Invalid refresh token", event: "authn_token_invalid" },
  token_expired: { status: 400, title: "Session is over", event: "session_expired" },
  missing_credentials: { status: 401, title: "Credentials required", event: "authz_fail" },
  invalid_token: { status: 401, title: "Invalid credentials", event: "authn_token_invalid" },
  invalid_credentials: { status: 401, title: "Login failed", event: "authn_login_fail" },
  insufficient_user_authentication: { status: 401, title: "Sign in again", event: "authz_fail" },
  forbidden: { status: 403, title: "Not allowed", event: "authz_fail" },
  registration_closed: { status: 403, title: "Registration closed", event: "authz_fail" },
  cross_site_request: { status: 403, title: "Cross-site request refused", event: "malicious_cors" },
  session_key_required: {
    status: 403,
    title: "Session-Key required",
    event: "authn_session_key_missing",
  },
  not_found: { status: 404, title: "Not found" },
  method_not_allowed: { status: 405, title: "Method not allowed" },
  email_taken: { status: 409, title: "E-mail address taken" },
  email_changed_recently: { status: 409, title: "E-mail address changed recently" },
  body_too_large: { status: 413, title: "Request body too large" },
  unsupported_media_type: { status: 415, title: "Unsupported media type" },
  too_many_attempts: { status: 429, title: "Too many attempts", event: "authn_login_lock" },
  too_many_requests: { status: 429, title: "Too many requests", event: "excess_rate_limit_exceeded" },
  internal_error: { status: 500, title: "Internal error", event: "failure" },
  unavailable: { status: 503, title: "Temporarily unavailable", event: "failure" },
} as const satisfies Record<string, Problem>;

/** A code of the catalogue. */
export type ProblemCode = keyof typeof problems;

/** One invalid member of a request body: a JSON Pointer (RFC 6901, URI fragment form) and what to do. */
export interface FieldError {
  pointer: string;
  detail: string;
}

interface AppErrorOptions {
  detail?: string;
  errors?: FieldError[];
  headers?: Record<string, string>;
  /** For the log alone. */
  reason?: RefusalReason;
  cause?: unknown;
}

const defaultDetails: Partial<Record<ProblemCode, string>> = {
  invalid_code: "The code is not right.",
  code_expired: "The code is used up, too old or not from here. Ask for a new one.",
  invalid_jwt_token: "invalid jwt token",
  invalid_refresh_token: "invalid refresh token",
  token_expired: "token expired",
  missing_credentials:
    "The request carries no credentials that count here. Log in first; bearer clients refresh with Auth-Mode: bearer.",
  invalid_token: "The access token is not valid. Refresh the session or log in again.",
  invalid_credentials: "The e-mail address or the password is wrong.",
  registration_closed: "Nobody can register here. Ask the operator for an invitation.",
  session_key_required:
    "This session is bound to the Session-Key of its login, and the request does not carry it. Log in again.",
  conflicting_credentials:
    "Send one kind of credentials: the session cookie, an Authorization header, or a pair in the body.",
  email_taken: "There is an account with this e-mail address.",
  email_changed_recently:
    "The e-mail address was changed less than seven days ago. Try again when that can no longer be undone.",
  unavailable: "Nothing was lost. Try the same request again in a moment.",
};

/** A refusal that may be shown to the client: a code of the catalogue and what to do; reason and cause never leave. */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ProblemCode;
  readonly detail: string | undefined;
  readonly errors: FieldError[] | undefined;
  readonly headers: Record<string, string> | undefined;
  readonly reason: RefusalReason | undefined;

  constructor(code: ProblemCode, options: AppErrorOptions = {}) {
    super(code, { cause: options.cause });
    this.code = code;
    this.detail = options.detail ?? defaultDetails[code];
    this.errors = options.errors;
    this.headers = options.headers;
    this.reason = options.reason;
  }
}
