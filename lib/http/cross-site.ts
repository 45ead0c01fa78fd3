import { AppError } from "../errors.ts";
import type { Middleware } from "./api.ts";

interface CrossSiteOptions {
  issuer: string;
  allowedOrigins: readonly string[];
}

/**
 * Refuses state changes that another site makes with the user's cookie, login and logout included
 * (OWASP CSRF Prevention Cheat Sheet, Fetch Metadata; the order is that of Go 1.25's CrossOriginProtection).
 */
export function crossSite({ issuer, allowedOrigins }: CrossSiteOptions): Middleware {
  const ownOrigin = new URL(issuer).origin;
  return {
    before({ event: { headers, domainName } }) {
      const { origin, "sec-fetch-site": fetchSite } = headers;
      const isListed = origin !== undefined && allowedOrigins.includes(origin);
      const isOwn = origin === ownOrigin || (domainName !== undefined && origin === `https://${domainName}`);
      const isAllowed =
        fetchSite !== undefined
          ? fetchSite === "same-origin" || fetchSite === "none" || isListed
          : // Neither header: not a browser, so nobody's cookie is being borrowed.
            origin === undefined || isListed || isOwn;
      if (isAllowed) return;
      throw new AppError("cross_site_request", {
        detail: "This origin may not call the API. An operator can list it in ALLOWED_ORIGINS.",
      });
    },
  };
}
