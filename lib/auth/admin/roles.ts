import { createCustomClaims } from "../../accounts/claims.ts";
import { AppError } from "../../errors.ts";

/**
 * Throws AppError `invalid_body` for roles that the cookie of their user would have no room for: every login would be a 500
 * else.
 */
export function assertRolesFit({ userId, email, roles = [] }: HasRoles): void {
  try {
    createCustomClaims({ userId, email, roles });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new AppError("invalid_body", { detail: error.message });
  }
}

interface HasRoles {
  userId: string;
  email: string;
  roles?: string[] | undefined;
}
