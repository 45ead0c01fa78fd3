import type { PresentedPair } from "../auth/session/verify-pair.ts";
import type { Config } from "../config.ts";
import { isPlainHttp } from "../settings.ts";
import type { TokenPair } from "../tokens/issue-pair.ts";
import { hasRepeatedName } from "./repeated-name.ts";
import { trimBlanks } from "./trim-blanks.ts";

/** The settings that shape the auth cookie; the issuer's host is the one that it is for. */
export type CookieSettings = Config<"stage" | "cookieName" | "cookieSameSite" | "cookieDomain" | "issuer">;

/** Which half of the presented credentials is at fault. */
export type PairFault = "invalid_jwt_token" | "invalid_refresh_token";

/** What a request presents as its pair: nothing, something malformed, or two strings that may be a pair. */
export type Presented =
  | { is: "none" }
  | { is: "malformed"; fault: PairFault }
  | ({ is: "pair" } & PresentedPair);

/** A cookie line above this is not sent: proxies and browsers differ in what they still take. */
const maxLineBytes = 2048;
/** A longer value is not ours; it is not decoded. */
const maxValueLength = 6144;
/** What encodeURIComponent leaves; nothing else stands in a value of ours. */
const encoded = /^[A-Za-z0-9%_.!~*'()-]+$/;

/** Reads the auth cookie among `name=value` texts (RFC 6265bis, 5.7). Two different values are malformed. */
export function parseAuthCookie(cookies: string[], cookieName: string): Presented {
  const [value, ...others] = findCookie(cookies, cookieName);
  if (value === undefined) return { is: "none" };
  return others.length > 0 ? malformed : parseValue(value);
}

/** Reads every different pair among the auth cookies: more than one is what another scope or another site left. */
export function parseAuthCookies(cookies: string[], cookieName: string): PresentedPair[] {
  return findCookie(cookies, cookieName)
    .map(parseValue)
    .filter((presented) => presented.is === "pair");
}

function parseValue(value: string): Presented {
  if (value.length > maxValueLength || !encoded.test(value)) return malformed;
  try {
    const text = decodeURIComponent(value);
    const parsed: unknown = JSON.parse(text);
    return hasRepeatedName(text, parsed) ? malformed : parsePair(parsed);
  } catch {
    return malformed;
  }
}

/** The different values that a cookie has among `name=value` texts; more than one is nothing we have set. */
export function findCookie(cookies: string[], cookieName: string): string[] {
  const values = cookies.map(splitCookie).flatMap(([name, value]) => (name === cookieName ? [value] : []));
  return [...new Set(values)];
}

/** The names of the cookies that begin so, each once. */
export function listCookieNames(cookies: string[], prefix: string): string[] {
  const names = cookies.map(splitCookie).flatMap(([name]) => (name.startsWith(prefix) ? [name] : []));
  return [...new Set(names)];
}

/** Reads a pair out of parsed JSON: exactly `{"token": string, "refreshToken": string}`. */
export function parsePair(value: unknown): Presented {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return malformed;
  const { token, refreshToken, ...others } = value as Record<string, unknown>;
  if (typeof token !== "string" || Object.keys(others).length > 0) return malformed;
  if (typeof refreshToken !== "string") return { is: "malformed", fault: "invalid_refresh_token" };
  return { is: "pair", token, refreshToken };
}

/** The Set-Cookie line of a pair. Throws RangeError above 2,048 bytes. */
export function serializeAuthCookie(
  pair: Pick<TokenPair, "token" | "refreshToken" | "sessionExpiresInSeconds">,
  settings: CookieSettings,
): string {
  const { token, refreshToken, sessionExpiresInSeconds } = pair;
  return serializeCookie(
    encodeURIComponent(JSON.stringify({ token, refreshToken })),
    sessionExpiresInSeconds,
    settings,
  );
}

/** The Set-Cookie lines that delete the auth cookie, whichever `COOKIE_DOMAIN` it was set with. */
export function serializeClearedCookies(settings: CookieSettings): string[] {
  return [serializeCookie("", 0, settings), ...serializeStaleCookies(settings)];
}

/**
 * The Set-Cookie lines that delete a cookie of the name in every scope but today's: what an earlier `COOKIE_DOMAIN` set
 * would be sent beside the cookie of today. They stand before the line that sets this one, for clients that do not tell
 * a host from a domain of the same name (RFC 6265; RFC 6265bis does).
 */
export function serializeStaleCookies(settings: CookieSettings): string[] {
  const { cookieName, cookieDomain, issuer } = settings;
  // Never set with a Domain (RFC 6265bis, 4.1.3.2).
  if (cookieName.toLowerCase().startsWith("__host-")) return [];
  return [undefined, ...domainsOf(new URL(issuer).hostname)]
    .filter((domain) => domain !== cookieDomain)
    .map((domain) => serializeCookie("", 0, { ...settings, cookieDomain: domain }));
}

/** The host and what is above it, down to two labels: `api.example.com`, `example.com`. An IP address is no domain. */
function domainsOf(hostname: string): string[] {
  const labels = hostname.split(".");
  if (/^\d*$|\]$/.test(labels.at(-1) ?? "")) return [];
  return labels.slice(1).map((_, index) => labels.slice(index).join("."));
}

/** A Set-Cookie line with the attributes of the auth cookie. Throws RangeError above 2,048 bytes. */
export function serializeCookie(value: string, maxAge: number, settings: CookieSettings) {
  const { cookieName, cookieDomain } = settings;
  const domain = cookieDomain === undefined ? "" : `; Domain=${cookieDomain}`;
  const line = `${cookieName}=${value}; ${cookieAttributes(settings)}; Max-Age=${maxAge}${domain}`;
  if (line.length > maxLineBytes) throw new RangeError(`the auth cookie would have ${line.length} bytes`);
  return line;
}

/** What every cookie of ours has but for its life and its domain. */
export function cookieAttributes({ cookieSameSite, ...where }: CookieSettings): string {
  const secure = isPlainHttp(where) ? "" : " Secure;";
  return `HttpOnly;${secure} SameSite=${cookieSameSite}; Path=/`;
}

function splitCookie(text: string): [name: string, value: string] {
  const at = text.indexOf("=");
  return at < 1 ? ["", ""] : [trimBlanks(text.slice(0, at)), trimBlanks(text.slice(at + 1))];
}

const malformed: Presented = { is: "malformed", fault: "invalid_jwt_token" };
