import type { Config } from "../config.ts";
import { sessionIdentifier } from "../device-binding/challenge.ts";
import { AppError } from "../errors.ts";
import type { TokenPair } from "../tokens/issue-pair.ts";
import {
  type CookieSettings,
  cookieAttributes,
  findCookie,
  type Presented,
  parseAuthCookie,
  serializeClearedCookies,
  serializeCookie,
} from "./cookies.ts";
import { addHidden } from "./event.ts";
import { type ApiResponse, securityHeaders } from "./response.ts";
import type { Middleware } from "./route.ts";

/** So long before the end of the access token the browser proves its key: it does so itself two minutes before that. */
const aheadSeconds = 90;
/**
 * The settings of the marker: the cookie whose absence makes the browser prove its key. It opens nothing.
 */
const markerOf = (settings: CookieSettings): CookieSettings => ({
  ...settings,
  cookieName: `${settings.cookieName}-bound`,
});

/** The Set-Cookie line of the marker beside a pair. */
export const serializeMarker = (
  { expiresInSeconds }: Pick<TokenPair, "expiresInSeconds">,
  settings: CookieSettings,
): string => serializeCookie("1", expiresInSeconds - aheadSeconds, markerOf(settings));

/** The Set-Cookie lines that delete the marker. */
export const serializeClearedMarker = (settings: CookieSettings): string[] =>
  serializeClearedCookies(markerOf(settings));

/** The path of a route as browsers see it: behind the path of the issuer, where that has one. */
const pathOf = (route: string, issuer: string): string => new URL(route, `${issuer}/`).pathname;

/** The header that has a browser make a key and bind it to the session that was just opened. */
export function registrationHeader(challenge: string, { issuer }: CookieSettings): Record<string, string> {
  const path = pathOf("auth/device", issuer);
  return { "secure-session-registration": `(ES256);path="${path}";challenge="${challenge}"` };
}

/** What a browser is told of a session that it has bound (W3C Device Bound Session Credentials, 8.3). */
export function createInstructions({
  allowedOrigins,
  ...settings
}: CookieSettings & Config<"allowedOrigins">): object {
  const { cookieName, issuer } = settings;
  const { hostname } = new URL(issuer);
  // Whoever logs in or out has no session to renew first.
  const without = ["auth/login", "auth/logout"].map((route) => pathOf(route, issuer));
  return {
    session_identifier: sessionIdentifier,
    refresh_url: pathOf("auth/device", issuer),
    scope: {
      include_site: false,
      scope_specification: without.map((path) => ({ type: "exclude", domain: hostname, path })),
    },
    // Letter by letter those of the cookie, or the browser proves its key before every request.
    credentials: [
      {
        type: "cookie",
        name: markerOf({ ...settings, cookieName }).cookieName,
        attributes: cookieAttributes(settings),
      },
    ],
    allowed_refresh_initiators: allowedOrigins.map((origin) => new URL(origin).hostname),
  };
}

/** What `deviceProof` adds to the event; the credentials are hidden from logs. */
export interface DeviceProofEvent {
  presented: Presented;
  /** What the browser has signed; undefined where it was not told what to sign. */
  proof: string | undefined;
  /** The browser has bound a key before. */
  isBound: boolean;
}

/** Finds the pair and the proof of a browser. */
export function deviceProof({
  cookieName,
}: Pick<CookieSettings, "cookieName">): Middleware<DeviceProofEvent> {
  return {
    before({ event, credentials }) {
      addHidden(event, "presented", parseAuthCookie(credentials.cookies, cookieName));
      // Chromium sends it bare, the draft has it as a quoted string.
      addHidden(event, "proof", event.headers["secure-session-response"]?.replace(/^"(.*)"$/, "$1"));
      Object.assign(event, { isBound: event.headers["sec-secure-session-id"] !== undefined });
    },
  };
}

/** What `deviceMarker` adds to the event. */
export interface DeviceMarkerEvent {
  /** The browser has the marker: it has not been asked to prove its key before this request. */
  isMarked: boolean;
}

/** Looks for the marker. */
export function deviceMarker(settings: CookieSettings): Middleware<DeviceMarkerEvent> {
  const { cookieName } = markerOf(settings);
  return {
    before({ event, credentials }) {
      Object.assign(event, { isMarked: findCookie(credentials.cookies, cookieName).length > 0 });
    },
  };
}

/**
 * What a script is answered that renews a bound session: it comes again once the browser has proven its key. Throws the error,
 * where it is another one or there is no such browser, and AppError `unavailable` where the browser tried in vain.
 */
export function answerUnproven(
  error: unknown,
  { isMarked, headers }: DeviceMarkerEvent & { headers: Readonly<Record<string, string>> },
  settings: CookieSettings,
): ApiResponse {
  if (!(error instanceof AppError) || error.code !== "device_proof_required") throw error;
  if (headers["secure-session-skipped"] !== undefined) throw new AppError("unavailable", { cause: error });
  if (!isMarked) throw error;
  const location = pathOf("auth/refresh", settings.issuer);
  return {
    statusCode: 307,
    headers: { ...securityHeaders, location },
    cookies: serializeClearedMarker(settings),
  };
}
