import { AppError } from "../errors.ts";
import { hashToken, isRefreshToken, isSameHash } from "../tokens/refresh-token.ts";
import type { Session } from "./session.ts";

/**
 * Throws AppError `invalid_token` if this is not the refresh token that is current: whoever has got hold of an access
 * token alone, or of a pair that was renewed since, is not let at what opens the account.
 */
export function assertCurrentPair(
  { tokenHash }: Session,
  refreshToken: unknown,
): asserts refreshToken is string {
  if (!isRefreshToken(refreshToken) || !isSameHash(tokenHash, hashToken(refreshToken)))
    throw new AppError("invalid_token", { reason: "refresh token not current" });
}
