import { systemClock } from "../clock.ts";
import { readConfig } from "../config.ts";
import { note } from "../log.ts";
import type { aal2 } from "../sessions/amr.ts";
import { assertFresh, assertTwoFactors } from "../sessions/fresh.ts";
import { getLiveSession } from "../sessions/live.ts";
import type { Session } from "../sessions/session.ts";
import type { SessionAddress, SessionStore } from "../sessions/store.ts";
import {
  accessTokenTtlSeconds,
  audience,
  clientId,
  cookieName,
  issuer,
  jwtPublicKeys,
  sessionsNotBefore,
} from "../settings.ts";
import type { AccessClaims } from "../tokens/access-claims.ts";
import { importVerificationKeys } from "../tokens/keys.ts";
import { rehearseVerification } from "../tokens/rehearsal.ts";
import { createAccessTokenVerifier } from "../tokens/verify-access-token.ts";
import { type Authenticator, createCallerFinder } from "./caller.ts";
import { addHidden } from "./event.ts";
import type { Middleware } from "./route.ts";

/** Whose tokens are taken: those of this deployment's own client, CLIENT_ID, or of every client. */
export interface ClientRule {
  client: "own" | "any";
}

/**
 * Makes the authenticator, once per sandbox, from the environment: a live access token from the auth cookie or
 * `Authorization: Bearer` (RFC 6750). It asks nobody: no database, no network.
 */
export async function createAuthenticator({ client }: ClientRule): Promise<Authenticator> {
  const config = readConfig({
    issuer,
    audience,
    accessTokenTtlSeconds,
    sessionsNotBefore,
    cookieName,
    jwtPublicKeys,
  });
  const keys = await importVerificationKeys(config.jwtPublicKeys);
  const own = client === "own" ? readConfig({ clientId }).clientId : null;
  const verifyAccessToken = createAccessTokenVerifier({
    ...{ ...config, keys, clientId: own },
    clock: systemClock,
  });

  await rehearseVerification(verifyAccessToken, keys);
  return createCallerFinder(verifyAccessToken, config.cookieName);
}

/** How long ago the caller may have logged in. */
export interface FreshnessRule {
  /** Seconds since `auth_time`, at least 10: the next request after a login takes its time. */
  maxAgeSeconds: number;
}

/** By how many factors the caller must have been proven. */
export interface FactorRule {
  /** `aal2`: by two. */
  acr: typeof aal2;
}

interface AuthenticateOptions {
  /** Given the sessions, each call reads the session too: for routes that must not trust the JWT of an ended one. */
  live: Pick<SessionStore, "find">;
}

/** What `authenticate` adds to the event. */
export interface AuthenticatedEvent {
  auth: AccessClaims;
  /** The caller's session and e-mail address, in the words of the tables. */
  caller: SessionAddress & { email: string };
}

/** What `authenticate({ live })` adds beside that; hidden from logs. */
export interface LiveEvent extends AuthenticatedEvent {
  /** The caller's session, as it was read for this call. */
  session: Session;
}

/**
 * The middleware of protected routes: only a caller with a live access token passes, and the handler gets its claims
 * as `event.auth`. With `live` a caller whose session has been ended is refused at once, at the price of one strongly
 * consistent read. Routes of the account take tokens of the own client only: those with `live`, and others that say so.
 * With `maxAgeSeconds` whoever logged in longer ago is asked to do so again, with `acr: "aal2"` whoever logged in without a
 * second factor (RFC 9470, section 3). Throws what the
 * authenticator throws, AppError `insufficient_user_authentication`, and with `live` `unavailable`.
 */
export async function authenticate(
  options: AuthenticateOptions & Partial<FreshnessRule & FactorRule>,
): Promise<Middleware<LiveEvent>>;
export async function authenticate(
  options?: Partial<ClientRule & FreshnessRule & FactorRule>,
): Promise<Middleware<AuthenticatedEvent>>;
export async function authenticate({
  live,
  client = live ? "own" : "any",
  maxAgeSeconds = Number.POSITIVE_INFINITY,
  acr,
}: Partial<AuthenticateOptions & ClientRule & FreshnessRule & FactorRule> = {}): Promise<
  Middleware<AuthenticatedEvent>
> {
  if (!(maxAgeSeconds >= minMaxAgeSeconds))
    throw new TypeError(`maxAgeSeconds must be ${minMaxAgeSeconds} or more`);
  const findCaller = await createAuthenticator({ client });
  return {
    async before({ event, credentials }) {
      const auth = await findCaller(credentials, event);
      const caller = { userId: auth.sub, sessionId: auth.sid, email: auth.email };
      note({ userId: caller.userId });
      assertFresh(auth.auth_time, maxAgeSeconds, systemClock());
      if (acr !== undefined) assertTwoFactors(auth.acr);
      if (live) addHidden(event, "session", await getLiveSession(live, caller, systemClock()));
      Object.assign(event, { auth, caller });
    },
  };
}

/** Whoever has just logged in would be too late again. */
const minMaxAgeSeconds = 10;
