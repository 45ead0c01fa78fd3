import { assertSessionKey } from "../sessions/presented-keys.ts";
import { assertCurrentPair } from "../sessions/presented-pair.ts";
import type { LiveEvent } from "./authenticate.ts";
import { parseClientKeys } from "./client-keys.ts";
import type { CallerModeEvent } from "./client-mode.ts";
import { type CookieSettings, parseAuthCookie } from "./cookies.ts";
import type { ApiEvent } from "./event.ts";
import type { Middleware } from "./route.ts";

/**
 * For a route that adds, changes or removes a way into the account: a live access token is not enough there. The caller
 * sends the whole pair – a bearer client `refreshToken` in the body – and the session's Session-Key, if it has one. Stands
 * behind `authenticate({ live })` and `callerMode`. Throws AppError `invalid_token`, `session_key_required`, `invalid_session_key`.
 */
export function callerPair({
  cookieName,
}: Pick<CookieSettings, "cookieName">): Middleware<unknown, ApiEvent & LiveEvent & CallerModeEvent> {
  return {
    before({ event, credentials }) {
      const { session, mode, body, headers } = event;
      const presented = mode === "bearer" ? body : parseAuthCookie(credentials.cookies, cookieName);
      const { refreshToken } = (presented ?? {}) as { refreshToken?: unknown };
      assertCurrentPair(session, refreshToken);
      assertSessionKey(session, parseClientKeys(headers).sessionKey);
    },
  };
}
