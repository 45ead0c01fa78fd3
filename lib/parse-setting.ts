/** Takes a point in time in epoch seconds. Throws TypeError. */
export function parseEpochSeconds(text: string): number {
  if (!/^\d{1,11}$/.test(text))
    throw new TypeError("must be epoch seconds, not milliseconds: at most 11 digits");
  return Number(text);
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

/** Takes the URL of a page that a fragment can be put behind. Throws TypeError. */
export function parseLink(text: string): string {
  const { username, password } = new URL(parseUrl(text));
  if (username || password || !/^[\x21-\x7e]{1,1000}$/.test(text) || text.includes("#"))
    throw new TypeError("must be a URL of visible ASCII characters without user and fragment");
  return text;
}

/** The sender of a mail. */
export interface Mailbox {
  /** What stands before the address. */
  name: string | undefined;
  address: string;
}

/** What mail servers take without SMTPUTF8 (RFC 5321, 4.1.2), the domain in ASCII. */
const address = /^[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?:[a-z0-9-]{1,63}\.)+[a-z][a-z0-9-]{0,62}$/i;

/** Takes an e-mail address. Throws TypeError. */
export function parseAddress(text: string): string {
  if (!address.test(text))
    throw new TypeError("must be an e-mail address in ASCII, such as auth@example.com");
  return text;
}

/** Takes an e-mail address, or a name and an address: `Example <auth@example.com>`. Throws TypeError. */
export function parseMailbox(text: string): Mailbox {
  const [, name, address = text] = /^([^<>"\p{C}]{1,64}) <([^<>]+)>$/u.exec(text) ?? [];
  return { name: name?.trim(), address: parseAddress(address) };
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

const appOrigin = /^(?!file:)[a-z][a-z0-9+.-]*:\/\/[a-z0-9.-]+$/;

/** Takes exact web origins (RFC 6454, section 6.2), separated by commas. Throws TypeError. */
export function parseOrigins(text: string): string[] {
  const origins = text.split(",").map((origin) => origin.trim());
  // The gateway takes `https://*` for any origin; to URL it is a host like any other.
  const isExact = (origin: string) => {
    if (!URL.canParse(origin)) return false;
    const { origin: parsed } = new URL(origin);
    // Of other schemes, which apps in a WebView have, URL knows no origin.
    return parsed === "null" ? appOrigin.test(origin) : parsed === origin && /^https?:[^*]*$/.test(origin);
  };
  if (!origins.every(isExact)) {
    throw new TypeError(
      "must be exact origins such as https://app.example.com or capacitor://localhost, separated by commas; no *, no path",
    );
  }
  return origins;
}

/** Takes names of request headers, separated by commas; gives them in lower case. Throws TypeError. */
export function parseHeaderNames(text: string): string[] {
  const names = text.split(",").map((name) => name.trim().toLowerCase());
  // The gateway takes `*` for every header, and `x-*` for what begins so.
  if (!names.every((name) => /^[a-z0-9_-]{1,64}$/.test(name))) {
    throw new TypeError("must be names of headers such as x-request-id, separated by commas; no *");
  }
  return names;
}

/** Takes one secret or two, separated by a comma. Throws TypeError. */
export function parseProxySecrets(text: string): string[] {
  const secrets = text.split(",").map((secret) => secret.trim());
  if (secrets.length > 2 || !secrets.every((secret) => /^[\x21-\x7e]{32,256}$/.test(secret))) {
    throw new TypeError("must be one or two secrets of 32 to 256 visible characters, separated by a comma");
  }
  return secrets;
}

/** Headers that a client or the gateway has a hand in, or that hold something else. */
const otherHeaders = ["authorization", "cookie", "forwarded", "x-forwarded-for", "x-proxy-secret"];

/** Takes the name of a header that a proxy overwrites, in lower case. Throws TypeError. */
export function parseProxyHeader(text: string): string {
  const name = text.toLowerCase();
  if (!/^[a-z][a-z0-9-]{0,63}$/.test(name) || otherHeaders.includes(name)) {
    throw new TypeError(
      "must be the name of a header that the proxy overwrites, such as x-client-address; never x-forwarded-for, which the gateway appends to",
    );
  }
  return name;
}
