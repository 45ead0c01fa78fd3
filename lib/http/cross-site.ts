import type { Config } from "../config.ts";
import { AppError } from "../errors.ts";
import type { ApiEvent } from "./event.ts";

/** Refuses a request that another site may have made with the user's cookie. Throws AppError `cross_site_request`. */
export type AssertSameSite = (event: ApiEvent) => void;

/** Methods that change nothing (RFC 9110, 9.2.1). */
const safeMethods = ["GET", "HEAD", "OPTIONS"];

/** Answers whether a request may change something; one without a method may. */
export const isStateChanging = ({ method }: ApiEvent): boolean => !safeMethods.includes(method);

/** What a machine calls itself: a page that it serves may have been opened by any of these. */
const loopback = ["localhost", "127.0.0.1", "[::1]"];

/**
 * Makes the rule that no other site changes state with the user's cookie, login and logout included
 * (OWASP CSRF Prevention Cheat Sheet, Fetch Metadata; the order is that of Go 1.25's CrossOriginProtection).
 */
export function createCrossSiteRule({
  issuer,
  allowedOrigins,
}: Config<"issuer" | "allowedOrigins">): AssertSameSite {
  const { protocol, hostname, port, origin: issuerOrigin } = new URL(issuer);
  const isLocal = protocol === "http:" && loopback.includes(hostname);
  const ownOrigins = isLocal ? loopback.map((name) => `http://${name}${port && `:${port}`}`) : [issuerOrigin];
  return (event) => {
    // Where there is no cookie there is none to borrow: an app in a WebView has an origin of its own kind.
    if (!isStateChanging(event) || event.isBearer) return;
    const { headers, domainName } = event;
    const { origin, "sec-fetch-site": fetchSite } = headers;
    const isListed = origin !== undefined && allowedOrigins.includes(origin);
    const isOwn =
      ownOrigins.includes(origin ?? "") || (domainName !== undefined && origin === `https://${domainName}`);
    const isAllowed =
      fetchSite !== undefined
        ? fetchSite === "same-origin" || fetchSite === "none" || isListed
        : // Neither header: not a browser, so nobody's cookie is being borrowed.
          origin === undefined || isListed || isOwn;
    if (isAllowed) return;
    throw new AppError("cross_site_request", {
      detail: "This origin may not call the API. An operator can list it in ALLOWED_ORIGINS.",
    });
  };
}
