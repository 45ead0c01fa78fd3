import type { ProblemCode } from "../lib/errors.ts";
import type { JsonSchema } from "./schemas.ts";

/** Every response header that is not on every answer. */
export const headers = {
  "Set-Cookie": {
    description:
      "The session in `{cookieName}`, HttpOnly; at login also `{cookieName}-device`, and `Max-Age=0` for what another `Domain` left. With `Auth-Mode: bearer` none.",
    // No pattern: proxies change the order of attributes, and put several cookies into one line.
    schema: { type: "string" },
    example:
      "{cookieName}=%7B%22token%22%3A%22eyJhbGciOiJFZERTQSJ9.e30.c2ln%22%2C%22refreshToken%22%3A%22mX1r0VwW7cN0lqk0S8tB4yZ5u9aJ2dEfGhIjKlMnOpQ%22%7D; HttpOnly; Secure; SameSite=Strict; Path=/; Max-Age=86400",
  },
  "WWW-Authenticate": {
    required: true,
    description: 'How to authenticate (RFC 6750); `error="invalid_token"` if a token came and does not hold.',
    schema: {
      type: "string",
      enum: [
        "Bearer",
        'Bearer error="invalid_token"',
        'Bearer error="insufficient_user_authentication", max_age="300"',
        'Bearer error="insufficient_user_authentication", max_age="900"',
        'Bearer error="insufficient_user_authentication", acr_values="aal2"',
      ],
    },
  },
  "Secure-Session-Registration": {
    description:
      "With `DEVICE_BOUND_SESSIONS`: has a browser that can bind a key of its own to this session, by itself (W3C Device Bound Session Credentials).",
    schema: { type: "string", pattern: '^\\(ES256\\);path="[^"]+";challenge="[\\w\\-]+"$' },
  },
  "Secure-Session-Challenge": {
    description: "What the browser signs next.",
    schema: { type: "string", pattern: '^"[\\w\\-]+";id="auth"$' },
  },
  Location: {
    required: true,
    description:
      "Where the browser goes on. 303: the page, with what the provider has sent; else the same path, where it proves its key first.",
    schema: { type: "string" },
  },
  "Retry-After": {
    required: true,
    description: "Seconds after which the request may be repeated.",
    schema: { type: "string", pattern: "^[1-9]\\d{0,4}$" },
    example: "30",
  },
  Allow: {
    required: true,
    description: "The methods that the path takes.",
    schema: { type: "string", pattern: "^[A-Z]+(?:, [A-Z]+)*$" },
    example: "GET, DELETE",
  },
  "Cache-Control": {
    required: true,
    description:
      "`public, max-age=600`: for ten minutes; `no-cache`: kept, and asked anew with `If-None-Match`.",
    schema: { type: "string", enum: ["public, max-age=600", "no-cache"] },
  },
  ETag: {
    required: true,
    description: "Names this version.",
    schema: { type: "string", pattern: '^"[\\w\\-]{43}"$' },
  },
} as const satisfies Record<string, JsonSchema>;

/** The name of a response header. */
export type HeaderName = keyof typeof headers;

/** The headers that come with every problem of a status. */
export const problemHeaders: Partial<Record<number, HeaderName>> = {
  401: "WWW-Authenticate",
  405: "Allow",
  429: "Retry-After",
  503: "Retry-After",
};

/** The headers that come with one problem. */
export const headersOfProblem: Partial<Record<ProblemCode, HeaderName>> = {
  device_proof_required: "Secure-Session-Challenge",
};
