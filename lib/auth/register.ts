import { randomUUID } from "node:crypto";
import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import { assertUsablePassword } from "../users/password-policy.ts";
import { hashPassword } from "../users/passwords.ts";
import type { UserStore } from "../users/store.ts";

interface RegisterOptions {
  users: Pick<UserStore, "create">;
  clock: Clock;
  readCommonPasswords: () => ReadonlySet<string>;
}

/** Makes the use case that creates an account. */
export function createRegister({ users, clock, readCommonPasswords }: RegisterOptions) {
  /**
   * Creates the account of a normalised e-mail address.
   * Throws AppError `invalid_body` for a password that may not be used, `email_taken`, `unavailable`.
   */
  return async function register({ email, password }: { email: string; password: string }) {
    assertUsablePassword(password, { email, commonPasswords: readCommonPasswords(), pointer: "#/password" });
    const userId = randomUUID();
    const isCreated = await users.create({
      email,
      userId,
      passwordHash: await hashPassword(password),
      sessionEpoch: 0,
      sweptEpoch: 0,
      createdAt: clock(),
    });
    if (!isCreated)
      throw new AppError("email_taken", { detail: "There is an account with this e-mail address." });
    return { userId, email };
  };
}
