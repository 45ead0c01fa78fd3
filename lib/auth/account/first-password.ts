import { hashPassword, verifyPassword } from "../../factors/password-hash.ts";
import { assertUncommonPassword, assertUsablePassword } from "../../factors/password-policy.ts";
import type { MakeFirstWay } from "./open-account.ts";

const pointer = "#/password";

/**
 * Makes the first way into an account: a password. What can be said of it without knowing whose it will be is said at once: throws
 * AppError `invalid_body`, as what it gives does.
 */
export function createFirstPassword(password: string, commonPasswords: ReadonlySet<string>): MakeFirstWay {
  assertUncommonPassword(password, { commonPasswords, pointer });
  return async ({ email }) => {
    assertUsablePassword(password, { commonPasswords, pointer, email });
    return {
      stored: { passwordHash: await hashPassword(password) },
      // Of another password than the one that came with the mail nothing is told.
      isOf: async ({ passwordHash, passwordChangedAt }) =>
        passwordChangedAt === undefined && verifyPassword(passwordHash, password),
    };
  };
}
