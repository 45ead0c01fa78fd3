/** One chapter of what holds for every route: paragraphs, with code between backticks. */
interface Chapter {
  title: string;
  paragraphs: string[];
}

/** What the service is called. */
export const title = "Serverless auth API";

/** What the service is, in a sentence. */
export const introduction =
  "Accounts, login by e-mail and password, a session in one HttpOnly cookie, silent renewal of that session, and protected resources.";

/** What holds for every route. */
export const chapters: Chapter[] = [
  {
    title: "Browsers",
    paragraphs: [
      "`POST /auth/login` sets `{cookieName}`, an HttpOnly cookie with an access token and its refresh token. The access token opens protected routes for a quarter of an hour, unless the operator chose otherwise. Call `POST /auth/refresh` shortly before it expires or at a 401, then repeat the request.",
      "State-changing routes are closed to pages of other sites. `Sec-Fetch-Site`, where a browser sends it, must be `same-origin` or `none`, or else `Origin` must be one that the operator lists in `ALLOWED_ORIGINS`. Without `Sec-Fetch-Site`, `Origin`, if there is one, must be listed or the API's own. Anything else is a 403 `cross_site_request`.",
      "CORS is open, with credentials, to exactly the origins in `ALLOWED_ORIGINS`, for the methods of the routes, and for the request headers `Content-Type`, `Authorization`, `Auth-Mode`, `Idempotency-Key`, `Idempotency-Key-Previous`, `Session-Key` and those in `ALLOWED_HEADERS`; with none listed there is no CORS at all.",
    ],
  },
  {
    title: "Other clients",
    paragraphs: [
      "Send `Auth-Mode: bearer` on login and refresh: the pair then comes in the body, and there is no cookie. Send `Authorization: Bearer` and the access token to protected routes, and the pair in the body, with `Auth-Mode: bearer`, to refresh and logout.",
      "Cookie and bearer credentials in one request are refused with `conflicting_credentials`.",
    ],
  },
  {
    title: "Repeating requests",
    paragraphs: [
      "Send an `Idempotency-Key` on login and refresh. A refresh whose answer was lost can then be repeated at any time, with the same pair and the same key, and is answered with the same bytes; a copied cookie ends the session at its next use. Without a key a repeat is answered for a few seconds.",
      "A 503 never changes anything for the worse: repeat the same request after `Retry-After` seconds.",
    ],
  },
  {
    title: "Bodies",
    paragraphs: [
      "Bodies are JSON objects in UTF-8 of at most 16,384 bytes, sent with `Content-Type: application/json`, with no member twice and none that is not described here. Only the form of a provider is none.",
      "E-mail addresses are trimmed, normalised (NFKC) and put in lower case, with the domain in ASCII (`xn--…`); at most 254 bytes remain, none of them a character that is not seen. The length of a password is counted in Unicode code points after NFKC; a new one has at least {passwordMinLength}.",
    ],
  },
  {
    title: "Errors",
    paragraphs: [
      "Every refusal is a problem document (RFC 9457, `application/problem+json`). Decide by `code`, which is stable; show `detail`, and the `errors` of an invalid body at their fields; keep `instance`, the request id, for the operator.",
      "A path that does not exist is a 404 `not_found`; one that does not take the method is a 405 `method_not_allowed`, with the methods in `Allow`. Routes that ask for a role of the user, such as your own, answer 403 `forbidden`. Any route may answer 500 `internal_error`.",
      "The gateway itself refuses floods of requests (429) and requests of megabytes (413) before they reach the service; those answers have no problem document.",
    ],
  },
  {
    title: "Headers of every answer",
    paragraphs: [
      "`Cache-Control: no-store`, but for the documents that anybody may read; `Strict-Transport-Security`, `X-Content-Type-Options: nosniff`, `Referrer-Policy: no-referrer`, and a `Content-Security-Policy` that allows nothing, or on pages only what they bring along.",
    ],
  },
];
