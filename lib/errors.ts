import type { RefusalReason, SecurityEvent } from "./events.ts";

/** One kind of refusal. */
export interface Problem {
  status: number;
  title: string;
  /** What the log calls it; by default it is a request that was not valid. */
  event?: SecurityEvent | undefined;
}

// Rows, since every bundle holds them.
const rows = {
  invalid_body: [400, "Invalid request body"],
  invalid_code: [400, "Wrong code", "authn_login_fail"],
  code_expired: [400, "Code expired"],
  invalid_auth_mode: [400, "Unknown Auth-Mode"],
  invalid_idempotency_key: [400, "Invalid Idempotency-Key"],
  invalid_session_key: [400, "Invalid Session-Key"],
  invalid_cursor: [400, "Invalid cursor"],
  invalid_query: [400, "Invalid query"],
  conflicting_credentials: [400, "Two kinds of credentials"],
  invalid_jwt_token: [400, "Invalid JWT", "authn_token_invalid"],
  invalid_refresh_token: [400, "Invalid refresh token", "authn_token_invalid"],
  token_expired: [400, "Session is over", "session_expired"],
  missing_credentials: [401, "Credentials required", "authz_fail"],
  invalid_token: [401, "Invalid credentials", "authn_token_invalid"],
  invalid_passkey: [401, "Passkey refused", "authn_login_fail"],
  unknown_passkey: [401, "Unknown passkey", "authn_login_fail"],
  invalid_credentials: [401, "Login failed", "authn_login_fail"],
  second_factor_required: [401, "Second factor required", "authn_factor_missing"],
  invalid_otp: [401, "Code refused", "authn_factor_fail"],
  insufficient_user_authentication: [401, "Sign in again", "authz_fail"],
  forbidden: [403, "Not allowed", "authz_fail"],
  registration_closed: [403, "Registration closed", "authz_fail"],
  cross_site_request: [403, "Cross-site request refused", "malicious_cors"],
  session_key_required: [403, "Session-Key required", "authn_session_key_missing"],
  not_found: [404, "Not found"],
  method_not_allowed: [405, "Method not allowed"],
  totp_not_enabled: [409, "No second factor"],
  email_taken: [409, "E-mail address taken"],
  email_unproven: [409, "E-mail address not proven"],
  too_many_passkeys: [409, "Too many passkeys"],
  last_sign_in_method: [409, "Last sign-in method"],
  email_changed_recently: [409, "E-mail address changed recently"],
  body_too_large: [413, "Request body too large"],
  unsupported_media_type: [415, "Unsupported media type"],
  too_many_attempts: [429, "Too many attempts", "authn_login_lock"],
  too_many_requests: [429, "Too many requests", "excess_rate_limit_exceeded"],
  internal_error: [500, "Internal error", "failure"],
  unavailable: [503, "Temporarily unavailable", "failure"],
} as const satisfies Record<string, readonly [status: number, title: string, event?: SecurityEvent]>;

/** A code of the catalogue. */
export type ProblemCode = keyof typeof rows;

/** Every problem the API answers, by its stable code: HTTP status and title (RFC 9457, section 3.1). */
export const problems = Object.fromEntries(
  Object.entries(rows).map(([code, [status, title, event]]) => [code, { status, title, event }]),
) as Record<ProblemCode, Problem>;

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

/** What is said where no more is known; what one place throws it says itself, since every bundle holds these. */
const defaultDetails: Partial<Record<ProblemCode, string>> = {
  code_expired: "The code is used up, too old or not from here. Ask for a new one.",
  invalid_jwt_token: "invalid jwt token",
  invalid_refresh_token: "invalid refresh token",
  token_expired: "token expired",
  missing_credentials:
    "The request carries no credentials that count here. Log in first; bearer clients refresh with Auth-Mode: bearer.",
  invalid_token: "The access token is not valid. Refresh the session or log in again.",
  invalid_credentials: "The e-mail address or the password is wrong.",
  conflicting_credentials:
    "Send one kind of credentials: the session cookie, an Authorization header, or a pair in the body.",
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
