import { AppError, type FieldError, type ProblemCode, problems } from "../lib/errors.ts";

/** What the description says of one problem, beside its status and title. */
interface ProblemText {
  meaning: string;
  remedy: string;
  /** An example; by default the text that the API always sends. */
  detail?: string;
  errors?: FieldError[];
}

/** Every code of the catalogue: one that is missing here does not compile. */
export const problemTexts: Record<ProblemCode, ProblemText> = {
  invalid_body: {
    meaning: "The body is not JSON in UTF-8, has a name twice, or its members break a rule of the route.",
    remedy:
      "`errors` names every field at fault (a JSON Pointer) and what it must be: show that at the field. Without `errors` the body as a whole is at fault.",
    detail: "password is missing",
    errors: [{ pointer: "#/password", detail: "is missing" }],
  },
  invalid_code: {
    meaning: "The code is not the one that was mailed. After five wrong ones there is no right one.",
    remedy: "have it typed again; `codeBegins` tells which mail it stands in.",
    detail: "The code is not right.",
  },
  code_expired: {
    meaning:
      "The code is too old, was used up by five wrong ones or overtaken by a newer change of the account, or the challenge is not of the request that it was asked for with.",
    remedy: "ask for a new code.",
  },
  invalid_auth_mode: {
    meaning: "The `Auth-Mode` header has a value that is not known.",
    remedy: "send `Auth-Mode: bearer`, or leave the header out to use the cookie.",
    detail: "Auth-Mode must be bearer; without the header a cookie is used.",
  },
  invalid_idempotency_key: {
    meaning: "The `Idempotency-Key` header is too short, too long, or has forbidden characters.",
    remedy: "send 16 to 128 random visible characters, such as a UUID.",
    detail: 'Idempotency-Key must be 16 to 128 visible ASCII characters without ", comma and backslash.',
  },
  invalid_session_key: {
    meaning: "The `Session-Key` header is not 32 bytes in base64url.",
    remedy: "send 43 characters of unpadded base64url, made of 32 random bytes.",
    detail: "Session-Key must be 32 random bytes in base64url, 43 characters.",
  },
  invalid_cursor: {
    meaning: "`cursor` is none that this route has given out.",
    remedy: "take it unchanged from `nextCursor` of the page before, or begin without one.",
    detail: "Take the cursor from nextCursor of the page before.",
  },
  invalid_query: {
    meaning:
      "A query parameter has a value that is not known; in a list of the administration, a name that is not.",
    remedy: "send the query as it is described.",
    detail: "except can only be current.",
  },
  conflicting_credentials: {
    meaning: "The request carries two kinds of credentials, which might be of two different people.",
    remedy: "send the cookie, or an `Authorization` header, or a pair in the body; never two of them.",
  },
  invalid_jwt_token: {
    meaning: "The access token presented for renewal is not one of ours, or is malformed.",
    remedy: "log in again. Repeating the request does not help.",
  },
  invalid_refresh_token: {
    meaning: "The refresh token is missing, malformed, or not the one that belongs to the access token.",
    remedy: "log in again. Repeating the request does not help.",
  },
  token_expired: {
    meaning:
      "The session is over: expired, ended by its user, or ended because a copy of a spent pair came back.",
    remedy: "log in again.",
  },
  missing_credentials: {
    meaning: "The route needs credentials and none came that count on it.",
    remedy: "log in first. A browser sends its cookie only with `credentials: include` to another origin.",
  },
  invalid_passkey: {
    meaning:
      "What the browser answered is not signed by a passkey of the account, is of another page or domain, without the user having been verified, too late, or was used before.",
    remedy: "ask for a new challenge and let the user try again.",
    detail: "The passkey was refused. Ask for a new challenge and try again.",
  },
  unknown_passkey: {
    meaning: "The account has no such passkey any more.",
    remedy:
      "tell the browser by `PublicKeyCredential.signalUnknownCredential`, and let the user sign in in another way.",
    detail: "This passkey was removed from the account. Log in in another way.",
  },
  invalid_token: {
    meaning: "The access token is malformed, expired, not ours, or its session has been ended.",
    remedy: "call `POST /auth/refresh` once and repeat the request; if that is refused, log in again.",
  },
  invalid_credentials: {
    meaning: "The e-mail address or the password is wrong; at a signed-in route, the current password.",
    remedy: "ask for them again. The answer does not say which of them it was.",
  },
  second_factor_required: {
    meaning: "All else is right; the account has a second factor, and no `otp` came. Nothing was stored.",
    remedy: "ask for the code of the authenticator app, and send the same request with it as `otp`.",
    detail: "This login also needs a code: from the authenticator app, or a recovery code. Send it as otp.",
  },
  invalid_otp: {
    meaning:
      "All else is right; the code of the second factor is not, or has been used: each counts once. A wrong one counts as a wrong password does.",
    remedy: "ask for the next code, which the app shows within 30 s; or for another recovery code.",
    detail: "This code is wrong. Use the one that your app shows now, or a recovery code.",
  },
  insufficient_user_authentication: {
    meaning:
      "The route needs a login that is not older than `max_age` seconds in `WWW-Authenticate`, or one with a second factor, where that has `acr_values` (RFC 9470); this session's is none.",
    remedy:
      "have the user log in once more, then send the request again in the new session. Where `acr_values` is asked for and the account has no second factor, it has to be set up first.",
    detail: "This needs a login of the last 300 s. Log in again.",
  },
  forbidden: {
    meaning:
      "The caller is known and may not do this. Only routes that ask for a role answer it; none of these does.",
    remedy: "nothing to repeat: somebody must grant the role, and the user log in again.",
    detail: "This needs the role admin.",
  },
  registration_closed: {
    meaning: "Only the operator makes accounts here.",
    remedy: "ask the operator for an invitation.",
    detail: "Nobody can register here. Ask the operator for an invitation.",
  },
  cross_site_request: {
    meaning: "A page of another site made the request.",
    remedy: "the operator lists the exact origin of your application in `ALLOWED_ORIGINS`.",
    detail: "This origin may not call the API. An operator can list it in ALLOWED_ORIGINS.",
  },
  invalid_device_proof: {
    meaning:
      "A browser may bind its key within 60 s of the login, with a proof of the challenge that came with it; this is not such a proof.",
    remedy: "nothing: the session goes on, unbound.",
    detail:
      "A browser binds its key within 60 s of the login, with a proof of the challenge that came with it.",
  },
  device_proof_required: {
    meaning:
      "The session is bound to the browser of its login, and this request does not prove that it is from there. Nothing was changed or ended.",
    remedy: "log in again; do not call logout.",
    detail:
      "This session is bound to the browser of its login, and the request does not prove that it is from there. Log in again.",
  },
  session_key_required: {
    meaning:
      "The session was opened with a `Session-Key`, and this request does not carry it. Nothing was changed or ended.",
    remedy: "log in again; do not call logout.",
    detail:
      "This session is bound to the Session-Key of its login, and the request does not carry it. Log in again.",
  },
  not_found: {
    meaning: "There is no such path, or nothing of yours by this id.",
    remedy: "look at the path and the id.",
    detail: "There is no such path.",
  },
  method_not_allowed: {
    meaning: "The path exists and does not take this method.",
    remedy: "use one of the methods in the `Allow` header.",
    detail: "This path takes POST.",
  },
  totp_not_enabled: {
    meaning: "The account has no second factor: there is nothing to switch off or renew.",
    remedy: "nothing to repeat; set one up with `POST /auth/totp`.",
    detail: "The account has no authenticator app. Nothing was changed.",
  },
  email_unproven: {
    meaning: "Where mail is on, second factors and passkeys are for accounts alone whose address is proven.",
    remedy: "have the address confirmed: `POST /auth/email` with that address, and the code of the mail.",
    detail:
      "The e-mail address of the account is not proven. Prove it first: POST /auth/email with that address.",
  },
  email_taken: {
    meaning: "There is an account with this e-mail address.",
    remedy: "log in instead, or register another address.",
    detail: "There is an account with this e-mail address.",
  },
  too_many_passkeys: {
    meaning: "The account has ten passkeys.",
    remedy: "let the user remove one.",
    detail: "The account has ten passkeys. Remove one of them first.",
  },
  last_sign_in_method: {
    meaning: "Nothing else opens the account: no password, and no other passkey.",
    remedy: "let the user set a password first, or add another passkey.",
    detail:
      "Nothing else opens the account. Set a password first (POST /auth/password/forgot), or add another passkey.",
  },
  own_account: {
    meaning: "An administrator would lock himself out, or take his own role away.",
    remedy: "have another administrator do it, or an operator with `npm run users`.",
    detail: "This is your own account. Another administrator, or `npm run users`, can change it.",
  },
  account_disabled: {
    meaning: "The account is disabled: a link for a new password would open nothing.",
    remedy: "enable the account first.",
    detail: "The account is disabled, and no link would open it. Enable it first.",
  },
  email_changed_recently: {
    meaning:
      "The e-mail address was changed less than seven days ago: whoever has the earlier one may still undo that.",
    remedy: "try again when seven days have passed.",
    detail:
      "The e-mail address was changed less than seven days ago. Try again when that can no longer be undone.",
  },
  sign_in_over: {
    meaning:
      "The sign-in at the provider was begun in another browser, for another provider, or more than ten minutes ago; or another provider answers than the one that was asked.",
    remedy: "ask who is signed in (`GET /auth/me`): it may be done already. If nobody is, begin again.",
    detail: "This sign-in was begun elsewhere, or too long ago. Begin again.",
  },
  sign_in_refused: {
    meaning:
      "The provider refuses the code, what it says is not to be trusted, the account is closed, or the session of this sign-in has been renewed or ended. The log has the reason.",
    remedy: "begin again.",
    detail: "The sign-in was refused. Begin again.",
  },
  email_not_verified: {
    meaning: "Nobody has this identity, and the provider's word does not make the e-mail address the user's.",
    remedy: "have the user verify the address at the provider, or register with it here.",
    detail:
      "The provider does not say that the e-mail address is yours. Have it verified there, or register.",
  },
  identity_taken: {
    meaning: "The identity at the provider opens another account.",
    remedy: "nothing to repeat: sign in with it, and remove it there first.",
    detail: "This identity opens another account. Nothing was changed.",
  },
  too_many_identities: {
    meaning: "The account has ten identities at providers.",
    remedy: "let the user remove one.",
    detail: "The account has ten identities. Remove one of them first.",
  },
  provider_unavailable: {
    meaning:
      "The provider does not answer in time, or answers what is no answer; or it does not know the service's client, which the log says.",
    remedy: "send the same request again after the seconds in `Retry-After`.",
    detail: "The provider does not answer. Try again in a moment.",
  },
  body_too_large: {
    meaning: "The body has more than 16,384 bytes.",
    remedy: "send only what the route asks for.",
    detail: "The body may have at most 16384 bytes.",
  },
  unsupported_media_type: {
    meaning: "The body does not call itself JSON, or is compressed.",
    remedy: "send `Content-Type: application/json`, and no `Content-Encoding`.",
    detail: "Send the body with content-type: application/json.",
  },
  too_many_attempts: {
    meaning:
      "Too many attempts in a row for this account. Sessions and browsers that have logged in to it before are not affected.",
    remedy: "wait for the seconds in `Retry-After`, and show how long.",
    detail: "Too many attempts in a row. The next one is possible in 30 s.",
  },
  too_many_requests: {
    meaning:
      "Too many logins, registrations or mails from this network address, too many mails to this e-mail address, or two changes of the password within ten minutes.",
    remedy: "wait for the seconds in `Retry-After`, and show how long.",
    detail: "Too many logins from this address. The next one is possible in 42 s.",
  },
  internal_error: {
    meaning: "A defect of the service. The answer says no more; the log has more under the request id.",
    remedy: "report the `instance`.",
  },
  unavailable: {
    meaning:
      "The database or the key store is away or slow. Nothing was lost, and no session ends because of it.",
    remedy:
      "send the same request again after the seconds in `Retry-After`, with the same `Idempotency-Key`.",
  },
};

/** What a route may refuse with, by status; no route is free of `internal_error`. */
export function groupByStatus(possible: ProblemCode[]): Record<string, ProblemCode[]> {
  const all: ProblemCode[] = [...possible, "internal_error"];
  return Object.groupBy(all, (code) => problems[code].status) as Record<string, ProblemCode[]>;
}

/** The example of a problem document (RFC 9457) for each code. */
export function createProblemExample(code: ProblemCode) {
  const { detail = new AppError(code).detail, errors } = problemTexts[code];
  const { title, status } = problems[code];
  const instance = "0b5f2c1e-7a0d-4c6e-9f53-0e5f6b7a8c9d";
  return {
    type: `urn:problem:${code}`,
    title,
    status,
    ...(detail && { detail }),
    instance,
    code,
    ...(errors && { errors }),
  };
}
