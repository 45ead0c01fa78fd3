import { type Clock, systemClock } from "../lib/clock.ts";
import { AppError } from "../lib/errors.ts";
import { createCallerFinder } from "../lib/http/caller.ts";
import { createCrossSiteRule } from "../lib/http/cross-site.ts";
import { parseEvent } from "../lib/http/event.ts";
import { parseIssuer } from "../lib/parse-setting.ts";
import type { AccessClaims } from "../lib/tokens/access-claims.ts";
import { importVerificationKeys } from "../lib/tokens/keys.ts";
import {
  AccessTokenError,
  createAccessTokenVerifier,
  type VerifyAccessToken,
} from "../lib/tokens/verify-access-token.ts";
import type { Claims } from "./claims.ts";
import type { Fetch } from "./fetch.ts";
import { createKeyCache, type KeyCacheTimes } from "./key-cache.ts";
import { fetchKeySet, parseKeySet } from "./key-set.ts";

/** What this service knows of the one that issues tokens. */
export interface VerifierOptions extends KeyCacheTimes {
  /** ISSUER of the service, letter by letter: https, or http on this machine. */
  issuer: string;
  /** AUDIENCE of the service. */
  audience: string;
  /** The client whose tokens are accepted (CLIENT_ID); null: those of every client. */
  clientId: string | null;
  /** COOKIE_NAME of the service. Its cookie reaches other services only under a common host or domain. */
  cookieName?: string;
  /** Origins of pages that may change something here with the cookie, beside this service's own. */
  allowedOrigins?: readonly string[];
  /** ACCESS_TOKEN_TTL_SECONDS of the service: a token that claims to live longer is refused. 86400 by default. */
  accessTokenTtlSeconds?: number;
  /** Sessions that began earlier are over (SESSIONS_NOT_BEFORE), epoch seconds. */
  sessionsNotBefore?: number;
  /** Where the key set is, if not at `<issuer>/.well-known/jwks.json`. */
  jwksUri?: string;
  /** Asks for the key set; by default the global `fetch`. */
  fetch?: Fetch;
  /** Tells the time in epoch seconds; by default the machine's clock. */
  clock?: Clock;
}

/** What is read of a request: of Node (`IncomingMessage`) or of the Fetch standard (`Request`). */
export interface IncomingRequest {
  /** Without one it counts as a request that may change something. */
  method?: string | undefined;
  headers: Iterable<readonly [string, string]> | Record<string, string | string[] | undefined>;
}

/** Verifies what callers present; made once, and kept. All reject with AuthError: `unavailable` if there is no key set. */
export interface Verifier {
  /** The claims of a live access token. Rejects with AuthError `invalid_token`. */
  verifyToken(token: string): Promise<Claims>;
  /**
   * The claims of whoever sent a request, by the cookie or `Authorization: Bearer`. Rejects with AuthError
   * `missing_credentials`, `invalid_token`, `conflicting_credentials`, and `cross_site_request` where another site's page
   * would change something with the cookie.
   */
  findCaller(request: IncomingRequest): Promise<Claims>;
  /** The same for an event of an HTTP API (payload 2.0). */
  findCallerOfEvent(event: unknown): Promise<Claims>;
}

/** Makes a verifier. It asks for the key set at the first token. Throws TypeError for an issuer that is none. */
export function createVerifier({
  issuer,
  audience,
  clientId,
  cookieName = "__Host-auth-cookie",
  allowedOrigins = [],
  accessTokenTtlSeconds = 86_400,
  sessionsNotBefore = 0,
  jwksUri = `${issuer}/.well-known/jwks.json`,
  fetch = globalThis.fetch,
  clock = systemClock,
  ...times
}: VerifierOptions): Verifier {
  for (const url of [parseIssuer(issuer), jwksUri]) assertSafe(url);
  if (typeof audience !== "string" || clientId === undefined)
    throw new TypeError("name the audience, and the clientId or null");
  const options = { issuer, audience, clientId, accessTokenTtlSeconds, sessionsNotBefore, clock };
  const assertSameSite = createCrossSiteRule({ issuer, allowedOrigins });

  let known: { text: string; verify: VerifyAccessToken } | undefined;
  async function loadVerifier(): Promise<VerifyAccessToken> {
    const text = await fetchKeySet(jwksUri, fetch);
    // The same keys: the tokens that they have verified are remembered.
    if (known?.text === text) return known.verify;
    const keys = await importVerificationKeys(parseKeySet(text));
    known = { text, verify: createAccessTokenVerifier({ ...options, keys }) };
    return known.verify;
  }
  const cache = createKeyCache(loadVerifier, clock, times);

  async function verify(token: string, latestAt?: number): Promise<AccessClaims> {
    const verifyNow = await cache.get();
    try {
      return await verifyNow(token, latestAt);
    } catch (error) {
      if (!(error instanceof AccessTokenError) || error.reason !== "unknown key") throw error;
      const verifyAnew = await cache.renew();
      if (verifyAnew === verifyNow) throw error;
      return verifyAnew(token, latestAt);
    }
  }
  const findByCredentials = createCallerFinder(verify, cookieName);

  const findCallerOfEvent: Verifier["findCallerOfEvent"] = async (input) => {
    const { event, credentials } = parseEvent(input, assertSameSite);
    return findByCredentials(credentials, event);
  };
  return {
    async verifyToken(token) {
      return verify(token).catch((error: unknown) => {
        if (!(error instanceof AccessTokenError)) throw error;
        throw new AppError("invalid_token", { reason: error.reason, cause: error });
      });
    },
    findCaller: ({ method, headers }) => findCallerOfEvent(toEvent(method, headers)),
    findCallerOfEvent,
  };
}

/** Keys that come by plain http are whoever's is on the way. */
function assertSafe(url: string): void {
  const { protocol, hostname } = new URL(url);
  if (protocol !== "https:" && !["localhost", "127.0.0.1", "[::1]"].includes(hostname))
    throw new TypeError(`${url} must be https`);
}

function toEvent(method: string | undefined, headers: IncomingRequest["headers"]): unknown {
  const byName = Symbol.iterator in headers ? Object.fromEntries(headers) : headers;
  // Whose own pages may change something: those of the host that was asked.
  const domainName = byName.host ?? byName[":authority"];
  return { headers: byName, requestContext: { domainName, http: { method } } };
}
