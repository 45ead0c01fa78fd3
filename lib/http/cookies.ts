import type { PresentedPair } from "../auth/session/refresh.ts";
import type { Config } from "../config.ts";
import type { TokenPair } from "../tokens/issue-pair.ts";
import { hasRepeatedName } from "./repeated-name.ts";

/** The settings that shape the auth cookie. */
export type CookieSettings = Config<"cookieName" | "cookieSameSite" | "cookieDomain">;

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
  if (others.length > 0 || value.length > maxValueLength || !encoded.test(value)) return malformed;
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

/** The Set-Cookie line that deletes the auth cookie. */
export function serializeClearedCookie(settings: CookieSettings): string {
  return serializeCookie("", 0, settings);
}

/** A Set-Cookie line with the attributes of the auth cookie. Throws RangeError above 2,048 bytes. */
export function serializeCookie(
  value: string,
  maxAge: number,
  { cookieName, cookieSameSite, cookieDomain }: CookieSettings,
) {
  const domain = cookieDomain === undefined ? "" : `; Domain=${cookieDomain}`;
  const attributes = `HttpOnly; Secure; SameSite=${cookieSameSite}; Path=/; Max-Age=${maxAge}${domain}`;
  const line = `${cookieName}=${value}; ${attributes}`;
  if (line.length > maxLineBytes) throw new RangeError(`the auth cookie would have ${line.length} bytes`);
  return line;
}

function splitCookie(text: string): [name: string, value: string] {
  const at = text.indexOf("=");
  return at < 1 ? ["", ""] : [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}

const malformed: Presented = { is: "malformed", fault: "invalid_jwt_token" };
