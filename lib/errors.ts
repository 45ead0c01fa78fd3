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
  invalid_body: [400],
  invalid_code: [400, "authn_login_fail"],
  code_expired: [400],
  invalid_device_proof: [400, "authn_device_unproven"],
  invalid_auth_mode: [400],
  invalid_idempotency_key: [400],
  invalid_session_key: [400],
  invalid_cursor: [400],
  invalid_query: [400],
  conflicting_credentials: [400],
  invalid_jwt_token: [400, "authn_token_invalid"],
  invalid_refresh_token: [400, "authn_token_invalid"],
  token_expired: [400, "session_expired"],
  sign_in_over: [400, "authn_login_fail"],
  sign_in_refused: [400, "authn_login_fail"],
  missing_credentials: [401, "authz_fail"],
  invalid_token: [401, "authn_token_invalid"],
  invalid_passkey: [401, "authn_login_fail"],
  unknown_passkey: [401, "authn_login_fail"],
  invalid_credentials: [401, "authn_login_fail"],
  second_factor_required: [401, "authn_factor_missing"],
  invalid_otp: [401, "authn_factor_fail"],
  insufficient_user_authentication: [401, "authz_fail"],
  forbidden: [403, "authz_fail"],
  registration_closed: [403, "authz_fail"],
  email_not_verified: [403, "authn_login_fail"],
  cross_site_request: [403, "malicious_cors"],
  device_proof_required: [403, "authn_device_unproven"],
  session_key_required: [403, "authn_session_key_missing"],
  not_found: [404],
  method_not_allowed: [405],
  totp_not_enabled: [409],
  email_taken: [409],
  email_unproven: [409],
  identity_taken: [409],
  too_many_identities: [409],
  too_many_passkeys: [409],
  last_sign_in_method: [409],
  own_account: [409],
  account_disabled: [409],
  email_changed_recently: [409],
  body_too_large: [413],
  unsupported_media_type: [415],
  too_many_attempts: [429, "authn_login_lock"],
  too_many_requests: [429, "excess_rate_limit_exceeded"],
  internal_error: [500, "failure"],
  unavailable: [503, "failure"],
  provider_unavailable: [503, "failure"],
} as const satisfies Record<string, readonly [status: number, event?: SecurityEvent]>;

/** A code of the catalogue. */
export type ProblemCode = keyof typeof rows;

/** Every problem the API answers, by its stable code: HTTP status, and as its title that code in words (RFC 9457, section 3.1). */
export const problems = Object.fromEntries(
  Object.entries(rows).map(([code, [status, event]]) => {
    const words = code.replaceAll("_", " ");
    return [code, { status, title: words.charAt(0).toUpperCase() + words.slice(1), event }];
  }),
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
  code_expired: "The code was used, is too old or was asked for elsewhere. Ask for a new one.",
  invalid_jwt_token: "invalid jwt token",
  invalid_refresh_token: "invalid refresh token",
  token_expired: "token expired",
  missing_credentials:
    "The request has no credentials for this route. Log in first; bearer clients refresh with Auth-Mode: bearer.",
  invalid_token: "The access token is not valid. Refresh the session or log in again.",
  invalid_credentials: "The e-mail address or the password is wrong.",
  conflicting_credentials:
    "Send one kind of credentials: the session cookie, an Authorization header, or a pair in the body.",
  unavailable: "Nothing was lost. Try the same request again in a moment.",
};

/** AppError `invalid_body` for one member of the body: its name, and what to do. */
export const invalidMember = (name: string, detail: string): AppError =>
  new AppError("invalid_body", {
    detail: `${name} ${detail}`,
    errors: [{ pointer: `#/${name}`, detail }],
  });

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
