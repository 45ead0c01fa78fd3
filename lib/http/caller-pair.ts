import { assertSessionKey } from "../sessions/presented-keys.ts";
import { assertCurrentPair } from "../sessions/presented-pair.ts";
import type { LiveEvent } from "./authenticate.ts";
import { parseClientKeys } from "./client-keys.ts";
import type { CallerModeEvent } from "./client-mode.ts";
import { type CookieSettings, parseAuthCookie } from "./cookies.ts";
import { type ApiEvent, addHidden, type RawCredentials } from "./event.ts";
import type { Middleware } from "./route.ts";

/** What `callerToken` adds to the event; hidden from logs. */
export interface CallerTokenEvent {
  /** The refresh token of the caller's pair, if one came; nothing about it is known to be true. */
  refreshToken: unknown;
}

/**
 * For a route that needs the whole pair of some of its callers: finds the refresh token beside their access token – in the
 * cookie, or of a bearer client as `refreshToken` in the body. Stands behind `callerMode`.
 */
export function callerToken(
  settings: Pick<CookieSettings, "cookieName">,
): Middleware<CallerTokenEvent, ApiEvent & CallerModeEvent> {
  return {
    before({ event, credentials }) {
      addHidden(event, "refreshToken", findRefreshToken(event, credentials, settings));
    },
  };
}

/**
 * For a route that adds, changes or removes a way into the account: a live access token is not enough there. The caller
 * sends the whole pair, and the session's Session-Key, if it has one. Stands behind `authenticate({ live })` and `callerMode`.
 * Throws AppError `invalid_token`, `session_key_required`, `invalid_session_key`.
 */
export function callerPair(
  settings: Pick<CookieSettings, "cookieName">,
): Middleware<CallerTokenEvent, ApiEvent & LiveEvent & CallerModeEvent> {
  return {
    before({ event, credentials }) {
      const { session, headers } = event;
      const refreshToken = findRefreshToken(event, credentials, settings);
      assertCurrentPair(session, refreshToken);
      assertSessionKey(session, parseClientKeys(headers).sessionKey);
      addHidden(event, "refreshToken", refreshToken);
    },
  };
}

function findRefreshToken(
  { mode, body }: ApiEvent & CallerModeEvent,
  { cookies }: RawCredentials,
  { cookieName }: Pick<CookieSettings, "cookieName">,
): unknown {
  const presented = mode === "bearer" ? body : parseAuthCookie(cookies, cookieName);
  return ((presented ?? {}) as { refreshToken?: unknown }).refreshToken;
}
