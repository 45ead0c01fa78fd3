import { expect } from "@jest/globals";
import { type ApiResponse, securityHeaders } from "../../lib/http/response.ts";

export interface Refusal {
  status: number;
  code: string;
  detail: string | undefined;
  headers?: Record<string, string>;
  errors?: { pointer: string; detail: string }[];
}

const refusal = (status: number, code: string, detail: string, headers = {}): Refusal => {
  return { status, code, detail, headers };
};
const challenge = { "www-authenticate": "Bearer" };

/** The refusals that more than one test expects, with the exact texts of the API. */
export const refusals = {
  noCredentials: refusal(
    401,
    "missing_credentials",
    "The request has no credentials for this route. Log in first; bearer clients refresh with Auth-Mode: bearer.",
    challenge,
  ),
  invalidToken: refusal(
    401,
    "invalid_token",
    "The access token is not valid. Refresh the session or log in again.",
    { "www-authenticate": 'Bearer error="invalid_token"' },
  ),
  loginFailed: refusal(401, "invalid_credentials", "The e-mail address or the password is wrong.", challenge),
  wrongPassword: refusal(401, "invalid_credentials", "The current password is wrong.", challenge),
  invalidJwt: refusal(400, "invalid_jwt_token", "invalid jwt token"),
  invalidRefreshToken: refusal(400, "invalid_refresh_token", "invalid refresh token"),
  noSuchSession: refusal(404, "not_found", "You have no such session."),
  invalidKey: refusal(
    400,
    "invalid_idempotency_key",
    'Idempotency-Key must be 16 to 128 visible ASCII characters without ", comma and backslash.',
  ),
  notFresh: refusal(
    401,
    "insufficient_user_authentication",
    "This needs a login of the last 300 s. Log in again.",
    { "www-authenticate": 'Bearer error="insufficient_user_authentication", max_age="300"' },
  ),
  oneFactor: refusal(
    401,
    "insufficient_user_authentication",
    "This needs a login with a code from your app, or with a passkey. Log in again.",
    { "www-authenticate": 'Bearer error="insufficient_user_authentication", acr_values="aal2"' },
  ),
  secondFactorRequired: refusal(
    401,
    "second_factor_required",
    "This login also needs a code: from the authenticator app, or a recovery code. Send it as otp.",
    challenge,
  ),
  invalidOtp: refusal(
    401,
    "invalid_otp",
    "This code is wrong. Use the one that your app shows now, or a recovery code.",
    challenge,
  ),
  usedOtp: refusal(
    401,
    "invalid_otp",
    "This code was used before. Your app shows a new one every 30 seconds.",
    challenge,
  ),
  sessionKeyRequired: refusal(
    403,
    "session_key_required",
    "This session is bound to the Session-Key of its login, and the request does not carry it. Log in again.",
  ),
  invalidDeviceProof: refusal(
    400,
    "invalid_device_proof",
    "A browser binds its key within 60 s of the login, with a proof of the challenge that came with it.",
  ),
  deviceProofRequired: refusal(
    403,
    "device_proof_required",
    "This session is bound to the browser of its login, and the request does not prove that it is from there. Log in again.",
  ),
  tokenExpired: refusal(400, "token_expired", "token expired"),
  conflict: refusal(
    400,
    "conflicting_credentials",
    "Send one kind of credentials: the session cookie, an Authorization header, or a pair in the body.",
  ),
  crossSite: refusal(
    403,
    "cross_site_request",
    "This origin may not call the API. An operator can list it in ALLOWED_ORIGINS.",
  ),
  notJson: refusal(400, "invalid_body", "The body is not valid JSON in UTF-8, or has a forbidden name."),
  noObject: refusal(400, "invalid_body", "Send a JSON object as the body."),
  repeatedName: refusal(400, "invalid_body", "The body has a name twice."),
  tooLarge: refusal(413, "body_too_large", "The body may have at most 16384 bytes."),
  wrongType: refusal(415, "unsupported_media_type", "Send the body with content-type: application/json."),
  internalError: { status: 500, code: "internal_error", detail: undefined },
  unavailable: refusal(503, "unavailable", "Nothing was lost. Try the same request again in a moment.", {
    "retry-after": "1",
  }),
} satisfies Record<string, Refusal>;

/** The refusal of a body for these fields, each with what to do. */
export const invalidBody = (...faults: [field: string, detail: string][]): Refusal => ({
  status: 400,
  code: "invalid_body",
  detail: faults.map((fault) => fault.join(" ")).join("; "),
  errors: faults.map(([field, detail]) => ({ pointer: `#/${field}`, detail })),
});

/** The refusal of an attempt at a password that is possible again in this many seconds. */
export const tooManyAttempts = (seconds: number): Refusal => {
  const detail = `Too many attempts in a row. The next one is possible in ${seconds} s.`;
  return refusal(429, "too_many_attempts", detail, { "retry-after": String(seconds) });
};

/** Asserts that a response is exactly this problem document (RFC 9457) and sets no cookie. */
export function expectProblem(
  response: ApiResponse,
  { status, code, detail, headers = {}, errors }: Refusal,
): void {
  expect({ ...response, body: bodyOf(response) }).toEqual({
    statusCode: status,
    headers: { ...securityHeaders, "content-type": "application/problem+json; charset=utf-8", ...headers },
    body: {
      type: `urn:problem:${code}`,
      title: expect.stringMatching(/^\S.+\S$/),
      status,
      ...(detail !== undefined && { detail }),
      instance: expect.stringMatching(/^[0-9a-f-]{36}$/),
      code,
      ...(errors && { errors }),
    },
  });
}

/** Asserts that a response is this JSON with this status; its cookie is for the test to look at. */
export function expectJson(response: ApiResponse, status: number, body: unknown): void {
  const { cookies: _, ...rest } = response;
  expect({ ...rest, body: bodyOf(response) }).toEqual({
    statusCode: status,
    headers: { ...securityHeaders, "content-type": "application/json; charset=utf-8" },
    body,
  });
}

/** Asserts that a response says no more than that it is done. */
export function expectNoContent(response: ApiResponse): void {
  expect(response).toEqual({ statusCode: 204, headers: securityHeaders });
}

/** Asserts that a response is a success that only a cookie carries, and returns the cookie's line. */
export function expectCookie(response: ApiResponse): string {
  expectJson(response, 200, { msg: "success" });
  const lines = response.cookies ?? [];
  // A login deletes what an earlier COOKIE_DOMAIN left, a logout all there is.
  const [cookie = lines[0] ?? "", ...others] = lines.filter((line) => !line.includes("Max-Age=0"));
  // A login has the browser keep one more: what recognises it (lib/attempts/known-devices.ts).
  expect(others.filter((line) => !/^[\w-]+-device=/.test(line))).toEqual([]);
  expect(others.length).toBeLessThan(2);
  return cookie;
}

/** The JSON of a response. */
// biome-ignore lint/suspicious/noExplicitAny: tests look at single members
export function bodyOf({ body }: ApiResponse): any {
  return JSON.parse(body ?? "");
}
