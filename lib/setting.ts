import { type OurJwk, parseJwkSet } from "./tokens/keys.ts";

/** One environment variable: how its text is read, and what holds when it is unset (nothing: it is required). */
export interface Setting<T> {
  variable: string;
  /** Throws TypeError that says what is allowed. */
  parse: (text: string) => T;
  unset?: T;
}

/** Makes a setting; with `unset` the variable may be absent. */
export function setting<T>(variable: string, parse: (text: string) => T, options?: { unset: T }): Setting<T> {
  return { variable, parse, ...options };
}

/** Takes a text of this pattern; the rule says what is allowed. Throws TypeError. */
export function matching(pattern: RegExp, rule: string) {
  return (text: string): string => {
    if (!pattern.test(text)) throw new TypeError(rule);
    return text;
  };
}

/** Takes one of these words. Throws TypeError. */
export function oneOf<const T extends string>(...values: T[]) {
  return (text: string): T => {
    const value = values.find((candidate) => candidate === text);
    if (value === undefined) throw new TypeError(`must be one of ${values.join(", ")}`);
    return value;
  };
}

/** Takes a whole number from min to max. Throws TypeError. */
export function integer(min: number, max: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new TypeError(`must be a whole number from ${min} to ${max}`);
    }
    return value;
  };
}

/** Takes a point in time in epoch seconds. Throws TypeError. */
export function parseEpochSeconds(text: string): number {
  return Number(matching(/^\d{1,11}$/, "must be epoch seconds, not milliseconds: at most 11 digits")(text));
}

/** Takes a cookie name, with or without a prefix (draft-ietf-httpbis-rfc6265bis, 4.1.3). Throws TypeError. */
export function parseCookieName(text: string): string {
  return matching(/^[A-Za-z0-9_-]{1,64}$/, "must be 1 to 64 of A-Z a-z 0-9 _ -")(text);
}

/** Takes a JWK set of private keys. Throws TypeError. */
export function parsePrivateKeys(text: string): OurJwk[] {
  return parseJwkSet(text, "private");
}

/** Takes the name or ARN of a secret in Secrets Manager. Throws TypeError. */
export function parseSecretId(text: string): string {
  return matching(/^[A-Za-z0-9/_+=.@:-]{1,2048}$/, "must be the name or ARN of a secret")(text);
}

/** Takes the name of a DynamoDB table. Throws TypeError. */
export function parseTableName(text: string): string {
  return matching(/^[a-zA-Z0-9_.-]{3,255}$/, "must be the name of a DynamoDB table")(text);
}

/** Takes an http or https URL, and leaves it as it is. Throws TypeError. */
export function parseUrl(text: string): string {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) throw new TypeError("must be an http or https URL");
  return text;
}

/** Kept as written: verifiers compare it letter by letter (RFC 8414, section 2), and `URL` trims what it parses. */
export function parseIssuer(text: string): string {
  const { username, password } = new URL(parseUrl(text));
  if (username || password || text.endsWith("/") || /[?#]/.test(text) || !/^[\x21-\x7e]{1,200}$/.test(text)) {
    throw new TypeError(
      "must be a URL of at most 200 visible ASCII characters without user, query, fragment, final slash",
    );
  }
  return text;
}

/** Takes routes as serverless.yml names them, separated by commas. Throws TypeError. */
export function parseRoutes(text: string): { method: string; path: string }[] {
  return text.split(",").map((route) => {
    const [, method, path] = /^([A-Z]+) (\/\S*)$/.exec(route) ?? [];
    if (method === undefined || path === undefined)
      throw new TypeError("must list routes such as GET /movies");
    return { method, path };
  });
}

/** Takes exact web origins (RFC 6454, section 6.2), separated by commas. Throws TypeError. */
export function parseOrigins(text: string): string[] {
  const origins = text.split(",").map((origin) => origin.trim());
  // The gateway takes `https://*` for any origin; to URL it is a host like any other.
  const isExact = (origin: string) =>
    /^https?:[^*]*$/.test(origin) && URL.canParse(origin) && new URL(origin).origin === origin;
  if (!origins.every(isExact)) {
    throw new TypeError(
      "must be exact origins such as https://app.example.com, separated by commas; no *, no path",
    );
  }
  return origins;
}
