import { decodeJwt } from "jose";
import type { ApiResponse } from "../../lib/http/response.ts";
import type { AccessClaims } from "../../lib/tokens/access-claims.ts";
import { keepSecrets } from "./log.ts";

/** A pair as a response handed it out. */
export interface Pair {
  token: string;
  refreshToken: string;
  /** What the access token says; not verified. */
  claims: AccessClaims;
  /** The primary key of the session. */
  key: { userId: string; sessionId: string };
  /** What a browser sends back: the `cookies` of the next event. */
  cookies: string[];
}

/** Takes the pair out of a response's cookie, as a browser does, or out of its body. */
export function pairOf(response: ApiResponse): Pair {
  const line = response.cookies?.find((text) => text.includes("%22refreshToken%22"));
  const [cookie = ""] = line?.split(";") ?? [];
  const value = cookie.slice(cookie.indexOf("=") + 1);
  const { token, refreshToken } = JSON.parse(line ? decodeURIComponent(value) : (response.body ?? ""));
  if (typeof token !== "string" || typeof refreshToken !== "string")
    throw new TypeError(`no pair in the response: ${response.statusCode} ${response.body}`);
  const claims = decodeClaims(token);
  return {
    token,
    refreshToken,
    claims,
    key: { userId: claims.sub, sessionId: claims.sid },
    cookies: [line ? cookie : cookieOf({ token, refreshToken })],
  };
}

/** The cookie that carries two halves, or whatever a client puts in it. */
export function cookieOf(value: unknown, name = "auth-cookie"): string {
  return `${name}=${encodeURIComponent(JSON.stringify(value))}`;
}

export const decodeClaims = (token: string): AccessClaims => decodeJwt(token);

/** Remembers every credential in a response: none of them may be logged. */
export function keepAnswerSecrets({ cookies = [], body = "" }: ApiResponse): void {
  for (const line of cookies) keepTokens(decodeURIComponent(line));
  keepTokens(body);
}

/** Remembers every token in a text, and the signature of each. */
export function keepTokens(text: string): void {
  for (const [token] of text.matchAll(/(?<![\w-])[\w-]{16,}\.[\w-]{16,}\.[\w-]+/g)) {
    keepSecrets(token, token.slice(token.lastIndexOf(".") + 1));
  }
  for (const [, token] of text.matchAll(/"(?:refreshToken|password|challenge)":"([^"]+)"/g))
    keepSecrets(token);
}
