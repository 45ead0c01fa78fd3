import { systemClock } from "../clock.ts";
import { readConfig } from "../config.ts";
import { AppError } from "../errors.ts";
import { importVerificationKeys } from "../tokens/keys.ts";
import {
  type AccessClaims,
  AccessTokenError,
  createAccessTokenVerifier,
} from "../tokens/verify-access-token.ts";
import type { Middleware } from "./api.ts";
import { parseBearer } from "./bearer.ts";
import { parseAuthCookie } from "./cookies.ts";
import type { RawCredentials } from "./event.ts";

/**
 * The middleware of protected routes, made once per sandbox from the environment: only a caller with a live access
 * token passes, from the auth cookie or `Authorization: Bearer` (RFC 6750), and the handler gets its claims as
 * `event.auth`. It asks nobody: no database, no network. Throws AppError `missing_credentials`, `invalid_token`,
 * `conflicting_credentials`.
 */
export async function authenticate(): Promise<Middleware<{ auth: AccessClaims }>> {
  const config = readConfig([
    "stage",
    "issuer",
    "audience",
    "accessTokenTtlSeconds",
    "sessionsNotBefore",
    "cookieName",
    "jwtPublicKeys",
  ]);
  const keys = await importVerificationKeys(config.jwtPublicKeys);
  const verifyAccessToken = createAccessTokenVerifier({ ...config, keys, clock: systemClock });

  return {
    async before({ event, credentials }) {
      const token = findToken(credentials, config.cookieName);
      const auth = await verifyAccessToken(token).catch((error: unknown) => {
        throw error instanceof AccessTokenError ? new AppError("invalid_token", { cause: error }) : error;
      });
      Object.assign(event, { auth });
    },
  };
}

function findToken({ cookies, authorization }: RawCredentials, cookieName: string): string {
  const cookie = parseAuthCookie(cookies, cookieName);
  const bearer = parseBearer(authorization);
  if (cookie.is === "none" && bearer.is === "none") throw new AppError("missing_credentials");
  if (cookie.is !== "none" && bearer.is !== "none") throw new AppError("conflicting_credentials");
  if (cookie.is === "pair") return cookie.token;
  if (bearer.is === "bearer") return bearer.token;
  throw new AppError("invalid_token");
}
