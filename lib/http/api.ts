import { readConfig } from "../config.ts";
import { clientIpSettings } from "../settings.ts";
import { createFindClientIp } from "./client-ip.ts";
import type { ApiEvent, ClientEvent } from "./event.ts";
import { parseJsonBody } from "./json-body.ts";
import { createRoute, type Route } from "./route.ts";

/** What a route does without; each must be typed out. */
export interface ApiOptions {
  /** Lets pages of other sites in. Whoever reads the cookie refuses them all the same. */
  crossSite?: "let in";
  /** Takes a body of any kind, and reads none: `event.body` is undefined. */
  body?: "not read";
}

/**
 * Starts a route that may change something: a request from another site, or with a body that is not JSON, is refused on
 * every method but GET, HEAD and OPTIONS. For a route that only reads there is `readOnlyApi`.
 */
export function api({ crossSite, body }: ApiOptions = {}): Route<ApiEvent & ClientEvent> {
  return createRoute({
    crossSite,
    parseBody: body === "not read" ? () => undefined : parseJsonBody,
    findClientIp: createFindClientIp(readConfig(clientIpSettings)),
  });
}
