import type { OpenedSession } from "../auth/open-session.ts";
import type { PresentedPair } from "../auth/session/verify-pair.ts";
import { AppError } from "../errors.ts";
import type { TokenPair } from "../tokens/issue-pair.ts";
import { type Bearer, parseBearer } from "./bearer.ts";
import {
  type CookieSettings,
  findCookie,
  type Presented,
  parseAuthCookie,
  parseAuthCookies,
  parsePair,
  serializeAuthCookie,
  serializeStaleCookies,
} from "./cookies.ts";
import { registrationHeader } from "./device-binding.ts";
import { deviceCookieName, serializeDeviceCookie, serializeStaleDeviceCookies } from "./device-cookie.ts";
import { addHidden } from "./event.ts";
import { type ApiResponse, json } from "./response.ts";
import type { Middleware } from "./route.ts";

/** How a client keeps its pair: the browser in the cookie, others themselves (`Auth-Mode: bearer`). */
export type ClientMode = "cookie" | "bearer";

/** What `clientMode` adds to the event; the credentials are hidden from logs. */
export interface ClientModeEvent {
  mode: ClientMode;
  /** The pair from the cookie, or in bearer mode from the body. */
  presented: Presented;
  /** Every different pair that was presented: of several cookies of the name each that can be read. */
  pairs: PresentedPair[];
  bearer: Bearer;
  /** The browser has cookies of ours already, whatever is in them. */
  hasCookies: boolean;
}

/**
 * Finds out how the client keeps its pair and reads it from there, and only there: a script injected into a page must
 * not be able to turn the HttpOnly cookie into readable text. Throws AppError `conflicting_credentials`,
 * `invalid_auth_mode`, `cross_site_request`.
 */
export function clientMode({ cookieName }: Pick<CookieSettings, "cookieName">): Middleware<ClientModeEvent> {
  return {
    before({ event, credentials }) {
      const mode = parseMode(event.headers["auth-mode"]);
      // A token in a header says nothing of the answer: without Auth-Mode it is a cookie, and reading those asks where this comes from.
      event.isBearer &&= mode === "bearer";
      const cookie = parseAuthCookie(credentials.cookies, cookieName);
      const bearer = parseBearer(credentials.authorization);
      if (cookie.is !== "none" && (mode === "bearer" || bearer.is !== "none")) {
        throw new AppError("conflicting_credentials");
      }
      const presented = mode === "cookie" ? cookie : parseBodyPair(event.body);
      const others = cookie.is === "malformed" ? parseAuthCookies(credentials.cookies, cookieName) : [];
      const names = [cookieName, deviceCookieName(cookieName)];
      const hasCookies = names.some((name) => findCookie(credentials.cookies, name).length > 0);
      Object.assign(event, { mode, hasCookies });
      addHidden(event, "presented", presented);
      addHidden(event, "pairs", presented.is === "pair" ? [presented] : others);
      addHidden(event, "bearer", bearer);
    },
  };
}

/** What `callerMode` adds to the event. */
export interface CallerModeEvent {
  mode: ClientMode;
  hasCookies: boolean;
}

/**
 * For a route that answers its authenticated caller with a new pair: it goes where the credentials came from. Throws
 * AppError `conflicting_credentials` for an Auth-Mode beside the cookie, `invalid_auth_mode`.
 */
export function callerMode(): Middleware<CallerModeEvent> {
  return {
    before({ event, credentials }) {
      const isBearer = parseBearer(credentials.authorization).is === "bearer";
      const mode = parseMode(event.headers["auth-mode"]);
      if (!isBearer && mode === "bearer") throw new AppError("conflicting_credentials");
      Object.assign(event, { mode: isBearer ? "bearer" : "cookie", hasCookies: !isBearer });
    },
  };
}

/** The pair of a request that needs one. Throws AppError `missing_credentials` or that of the half at fault. */
export function requirePair(presented: Presented): PresentedPair {
  if (presented.is === "pair") return presented;
  throw new AppError(presented.is === "none" ? "missing_credentials" : presented.fault);
}

/** Answers 200 with the pair, in the way the client keeps it. */
export function pairResponse(pair: TokenPair, mode: ClientMode, settings: CookieSettings): ApiResponse {
  if (mode === "cookie") return json(200, { msg }, [serializeAuthCookie(pair, settings)]);
  return json(200, { msg, ...bearerMembers(pair) });
}

const msg = "success";

function bearerMembers({ token, refreshToken, expiresInSeconds }: TokenPair) {
  return { token, refreshToken, expiresIn: expiresInSeconds };
}

/**
 * Answers 200 with the pair of a session that was just opened, what the client is to keep beside it, and `more`. Where the
 * browser has cookies of ours, what an earlier `COOKIE_DOMAIN` left is deleted: it would shadow the new ones.
 */
export function openedResponse(
  { pair, device }: OpenedSession,
  { mode, hasCookies }: Pick<ClientModeEvent, "mode" | "hasCookies">,
  settings: CookieSettings,
  more: object = {},
): ApiResponse {
  if (mode === "bearer") return json(200, { msg, ...bearerMembers(pair), device, ...more });
  const stale = hasCookies
    ? [...serializeStaleCookies(settings), ...serializeStaleDeviceCookies(settings)]
    : [];
  const set = [serializeAuthCookie(pair, settings), serializeDeviceCookie(device, settings)];
  const response = json(200, { msg, ...more }, [...stale, ...set]);
  if (pair.deviceChallenge === undefined) return response;
  return {
    ...response,
    headers: { ...response.headers, ...registrationHeader(pair.deviceChallenge, settings) },
  };
}

function parseMode(header: string | undefined): ClientMode {
  if (header === undefined) return "cookie";
  if (header.toLowerCase() === "bearer") return "bearer";
  throw new AppError("invalid_auth_mode", {
    detail: "Auth-Mode must be bearer; without the header a cookie is used.",
  });
}

function parseBodyPair(body: unknown): Presented {
  return body === undefined ? { is: "none" } : parsePair(body);
}
