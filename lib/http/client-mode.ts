import type { PresentedPair } from "../auth/session/refresh.ts";
import { AppError } from "../errors.ts";
import type { TokenPair } from "../tokens/issue-pair.ts";
import { type Bearer, parseBearer } from "./bearer.ts";
import {
  type CookieSettings,
  type Presented,
  parseAuthCookie,
  parsePair,
  serializeAuthCookie,
} from "./cookies.ts";
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
  bearer: Bearer;
}

/**
 * Finds out how the client keeps its pair and reads it from there, and only there: a script injected into a page must
 * not be able to turn the HttpOnly cookie into readable text. Throws AppError `conflicting_credentials`,
 * `invalid_auth_mode`.
 */
export function clientMode({ cookieName }: Pick<CookieSettings, "cookieName">): Middleware<ClientModeEvent> {
  return {
    before({ event, credentials }) {
      const mode = parseMode(event.headers["auth-mode"]);
      const cookie = parseAuthCookie(credentials.cookies, cookieName);
      const bearer = parseBearer(credentials.authorization);
      if (cookie.is !== "none" && (mode === "bearer" || bearer.is !== "none")) {
        throw new AppError("conflicting_credentials");
      }
      const presented = mode === "cookie" ? cookie : parseBodyPair(event.body);
      Object.assign(event, { mode });
      addHidden(event, "presented", presented);
      addHidden(event, "bearer", bearer);
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
  const msg = "success";
  if (mode === "cookie") return json(200, { msg }, [serializeAuthCookie(pair, settings)]);
  return json(200, {
    msg,
    token: pair.token,
    refreshToken: pair.refreshToken,
    expiresIn: pair.expiresInSeconds,
  });
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
