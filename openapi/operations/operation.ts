import type { ProblemCode } from "../../lib/errors.ts";
import type { HeaderName } from "../headers.ts";
import type { ParameterName } from "../parameters.ts";

/** One route of the service. */
export interface Operation {
  /** As functions.yml names it. */
  route: string;
  tag: TagName;
  summary: string;
  description?: string;
  /** Which credentials count: none, a live access token, or a pair (cookie, or body with `Auth-Mode: bearer`). */
  needs?: "token" | "pair" | "pair or token";
  parameters?: ParameterName[];
  /** The name of its schema: in openapi/schemas.ts, or beside the route. */
  body?: { schema: string; orSchema?: string; isOptional?: boolean; mediaType?: string };
  answers: Answer[];
  /** What it may refuse with, besides `internal_error`, which no route is free of. */
  problems: ProblemCode[];
}

/** An answer of a route that did what it was asked. */
export interface Answer {
  status: number;
  description: string;
  /** What the body may be; none: no body. */
  schemas?: string[];
  mediaType?: string;
  headers?: HeaderName[];
}

/** The groups of routes, in the order of the reference page. */
export const tags = {
  "Signing in": "An account, a session, its renewal and its end.",
  "By mail":
    "What a code opens that was mailed. Where the operator sends no mail, these routes are not there.",
  Passkeys:
    "Sign-in without a password, by a key that never leaves the user's devices. Where the operator names no domain for them, these routes are not there.",
  "External sign-in":
    "Sign-in at another provider, such as Google. Where the operator names none, these routes are not there.",
  Account: "What belongs to the signed-in user.",
  "Second factor":
    "An authenticator app and recovery codes, which logins then ask for. Each user decides whether there is one.",
  Sessions: "Where the user is signed in.",
  Administration:
    "The accounts of others, for users with the role `admin`. Where the operator has not switched it on, these routes are not there.",
  Sample: "A protected resource to copy.",
  "Your routes": "What was added to this deployment.",
  Documents:
    "What machines and people read to use the service. Anybody may keep keys and metadata for ten minutes.",
} as const;

/** The name of a group. */
export type TagName = keyof typeof tags;

/** What every route that takes a body, or changes state, may refuse with. */
export const takesBody = [
  "cross_site_request",
  "body_too_large",
  "unsupported_media_type",
  "invalid_body",
] as const;
/** What every route with `authenticate` may refuse with. */
export const knowsCaller = [
  "missing_credentials",
  "invalid_token",
  "conflicting_credentials",
  "unavailable",
] as const;
/** What every route that reads a pair may refuse with. */
export const hasModes = ["invalid_auth_mode", "conflicting_credentials"] as const;
/** What every route with `callerPair` may refuse with, beside what `authenticate` does. */
export const hasWholePair = ["invalid_auth_mode", "invalid_session_key", "session_key_required"] as const;
/** What every route that asks for the proof of its user once more may refuse with. */
export const provesUser = [
  "invalid_auth_mode",
  "invalid_idempotency_key",
  "invalid_session_key",
  "session_key_required",
  "invalid_credentials",
  "second_factor_required",
  "invalid_otp",
  "invalid_passkey",
  "unknown_passkey",
  "insufficient_user_authentication",
  "too_many_attempts",
] as const;
/** What such a route says of it. */
export const userProof =
  "Needs a session that has not been ended, and the password, with `otp` where the account has a second factor; or a `passkey` in their place: the answer to a new challenge. Where the account has no password, a login of the last 300 s does it – with two factors where the account has a second one –, with the whole pair and the session's `Session-Key`.";
/** The answer with a pair. */
export const pair: Answer = {
  status: 200,
  description:
    "The session's pair: in the cookie, and the body says no more than `success`; with `Auth-Mode: bearer` in the body, and there is no cookie.",
  schemas: ["Done", "Pair"],
  headers: ["Set-Cookie"],
};
/** The answer of a route that opens a session. */
export const opened: Answer = {
  ...pair,
  schemas: ["Done", "OpenedPair"],
  headers: ["Set-Cookie", "Secure-Session-Registration"],
};
/** The answer of a route that mails a code. */
export const codeAsked: Answer = {
  status: 202,
  description: "A code is on its way, if there is somebody to get one. It counts only with this challenge.",
  schemas: ["CodeAsked"],
};
/** What every route that opens a session takes beside its body. */
export const opensSession = ["AuthMode", "IdempotencyKey", "SessionKey"] as const;
/** The answer of what ends something. */
export const ended: Answer = { status: 204, description: "Done. There is no body." };
