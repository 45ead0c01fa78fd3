import { AppError } from "../errors.ts";
import type { AccessClaims } from "../tokens/access-claims.ts";
import { AccessTokenError, isOurClockSlow, type VerifyAccessToken } from "../tokens/verify-access-token.ts";
import { parseBearer } from "./bearer.ts";
import { parseAuthCookie } from "./cookies.ts";
import type { ApiEvent, RawCredentials } from "./event.ts";

/**
 * Finds out who is calling; `receivedAt` is when, by the gateway's clock, epoch seconds. Throws AppError
 * `missing_credentials`, `invalid_token`, `conflicting_credentials`, and `unavailable` where our own clock is slow.
 */
export type Authenticator = (
  credentials: RawCredentials,
  request: Pick<ApiEvent, "receivedAt">,
) => Promise<AccessClaims>;

/** Makes an authenticator: a live access token from the auth cookie or `Authorization: Bearer` (RFC 6750), never from both. */
export function createCallerFinder(verifyAccessToken: VerifyAccessToken, cookieName: string): Authenticator {
  return async (credentials, { receivedAt }) => {
    const token = findToken(credentials, cookieName);
    return verifyAccessToken(token).catch(async (error: unknown) => {
      if (!(error instanceof AccessTokenError)) throw error;
      const isOursSlow = await isOurClockSlow(error, () => verifyAccessToken(token, receivedAt));
      throw new AppError(isOursSlow ? "unavailable" : "invalid_token", {
        reason: error.reason,
        cause: error,
      });
    });
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
