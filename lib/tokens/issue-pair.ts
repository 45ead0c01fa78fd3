import { SignJWT } from "jose";
import { AppError } from "../errors.ts";
import { amrClaims } from "../sessions/amr.ts";
import { authTimeOf } from "../sessions/auth-time.ts";
import type { Session } from "../sessions/session.ts";
import type { AccessClaims } from "./access-claims.ts";
import { findKeyActiveAt } from "./key-set.ts";
import type { SigningKeys } from "./keys.ts";
import { createTokenId } from "./refresh-token.ts";

/** An access token and its refresh token, with how long each is good for from its issue on. */
export interface TokenPair {
  token: string;
  refreshToken: string;
  /** Life of the access token: `exp − iat`. */
  expiresInSeconds: number;
  /** Life of the session: its `expiresAt` minus `iat`. */
  sessionExpiresInSeconds: number;
  userId: string;
  sessionId: string;
}

/** What every access token of a deployment has in common. */
export interface AccessTokenSettings {
  issuer: string;
  audience: string;
  clientId: string;
  accessTokenTtlSeconds: number;
}

/** Issues token pairs. Both functions throw AppError `unavailable`. */
export interface PairIssuer {
  /** Resolves when there is a key to sign with; to be awaited before a write whose response must be signed. */
  ready(): Promise<void>;
  /** The pair of a session whose current refresh token is given. */
  issue(session: Session, refreshToken: string): Promise<TokenPair>;
}

/**
 * Makes the issuer of token pairs (access tokens after RFC 9068). A pair is a function of session, refresh token and keys
 * alone, so every response to one rotation has the same bytes (with Ed25519 and RS256; ES256 signatures are random).
 */
export function createPairIssuer(keys: SigningKeys, settings: AccessTokenSettings): PairIssuer {
  return {
    ready: () => keys.ready(),

    async issue(session, refreshToken) {
      const iat = session.rotatedAt ?? session.createdAt;
      const exp = Math.min(iat + settings.accessTokenTtlSeconds, session.expiresAt);
      // The key that was active when the pair was issued, not now: racing sandboxes must sign with the same one.
      const signing = findKeyActiveAt(iat, await keys.get());
      if (!signing) throw new AppError("unavailable", { cause: new Error("no signing key was active") });
      const claims = {
        ...session.claims,
        iss: settings.issuer,
        aud: settings.audience,
        client_id: settings.clientId,
        sub: session.userId,
        sid: session.sessionId,
        email: session.email,
        auth_time: authTimeOf(session),
        iat,
        exp,
        jti: createTokenId(refreshToken),
        ...amrClaims(session),
      } satisfies AccessClaims;
      const token = await new SignJWT(claims)
        .setProtectedHeader({ alg: signing.alg, typ: "at+jwt", kid: signing.kid })
        .sign(signing.key);
      return {
        token,
        refreshToken,
        expiresInSeconds: exp - iat,
        sessionExpiresInSeconds: session.expiresAt - iat,
        userId: session.userId,
        sessionId: session.sessionId,
      };
    },
  };
}
