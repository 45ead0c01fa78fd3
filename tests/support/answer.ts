import { expect } from "@jest/globals";
import { type ApiResponse, securityHeaders } from "../../lib/http/response.ts";

/** A refusal as a client sees it. */
export interface Refusal {
  status: number;
  code: string;
  detail: string | undefined;
  headers?: Record<string, string>;
  errors?: { pointer: string; detail: string }[];
}

/** The refusals that more than one test expects, with the exact texts of the API. */
export const refusals = {
  noCredentials: {
    status: 401,
    code: "missing_credentials",
    detail:
      "The request carries no credentials that count here. Log in first; bearer clients refresh with Auth-Mode: bearer.",
    headers: { "www-authenticate": "Bearer" },
  },
  invalidToken: {
    status: 401,
    code: "invalid_token",
    detail: "The access token is not valid. Refresh the session or log in again.",
    headers: { "www-authenticate": 'Bearer error="invalid_token"' },
  },
  loginFailed: {
    status: 401,
    code: "invalid_credentials",
    detail: "The e-mail address or the password is wrong.",
    headers: { "www-authenticate": "Bearer" },
  },
  invalidJwt: { status: 400, code: "invalid_jwt_token", detail: "invalid jwt token" },
  invalidRefreshToken: { status: 400, code: "invalid_refresh_token", detail: "invalid refresh token" },
  wrongPassword: {
    status: 401,
    code: "invalid_credentials",
    detail: "The current password is wrong.",
    headers: { "www-authenticate": "Bearer" },
  },
  noSuchSession: { status: 404, code: "not_found", detail: "You have no such session." },
  invalidKey: {
    status: 400,
    code: "invalid_idempotency_key",
    detail: 'Idempotency-Key must be 16 to 128 visible ASCII characters without ", comma and backslash.',
  },
  tokenExpired: { status: 400, code: "token_expired", detail: "token expired" },
  conflict: {
    status: 400,
    code: "conflicting_credentials",
    detail:
      "Send one kind of credentials: the session cookie, an Authorization header, or a pair in the body.",
  },
  crossSite: {
    status: 403,
    code: "cross_site_request",
    detail: "This origin may not call the API. An operator can list it in ALLOWED_ORIGINS.",
  },
  notJson: {
    status: 400,
    code: "invalid_body",
    detail: "The body is not valid JSON in UTF-8, or has a forbidden name.",
  },
  noObject: { status: 400, code: "invalid_body", detail: "Send a JSON object as the body." },
  repeatedName: { status: 400, code: "invalid_body", detail: "The body has a name twice." },
  tooLarge: { status: 413, code: "body_too_large", detail: "The body may have at most 16384 bytes." },
  wrongType: {
    status: 415,
    code: "unsupported_media_type",
    detail: "Send the body with content-type: application/json.",
  },
  internalError: { status: 500, code: "internal_error", detail: undefined },
  unavailable: {
    status: 503,
    code: "unavailable",
    detail: "Nothing was lost. Try the same request again in a moment.",
    headers: { "retry-after": "1" },
  },
} satisfies Record<string, Refusal>;

/** The refusal of a body for these fields, each with what to do. */
export const invalidBody = (...faults: [field: string, detail: string][]): Refusal => ({
  status: 400,
  code: "invalid_body",
  detail: faults.map((fault) => fault.join(" ")).join("; "),
  errors: faults.map(([field, detail]) => ({ pointer: `#/${field}`, detail })),
});

/** The refusal of an attempt at a password that is possible again in this many seconds. */
export const tooManyAttempts = (seconds: number): Refusal => ({
  status: 429,
  code: "too_many_attempts",
  detail: `Too many attempts in a row. The next one is possible in ${seconds} s.`,
  headers: { "retry-after": String(seconds) },
});

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
  const [cookie = "", ...others] = response.cookies ?? [];
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
