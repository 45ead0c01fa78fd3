import { randomUUID } from "node:crypto";
import type { UserStore } from "../../accounts/store.ts";
import type { SourceLimit } from "../../attempts/source-limit.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import { hashPassword } from "../../factors/password-hash.ts";
import { assertUsablePassword } from "../../factors/password-policy.ts";

interface RegisterOptions {
  users: Pick<UserStore, "create">;
  clock: Clock;
  readCommonPasswords: () => ReadonlySet<string>;
  sources: SourceLimit;
}

/** An account to be; the e-mail address is normalised. */
export interface RegisterRequest {
  email: string;
  password: string;
  ip: string | undefined;
}

/** Makes the use case that creates an account. */
export function createRegister({ users, clock, readCommonPasswords, sources }: RegisterOptions) {
  /**
   * Creates the account. Throws AppError `invalid_body` for a password that may not be used, `too_many_requests`,
   * `email_taken`, `unavailable`.
   */
  return async function register({ email, password, ip }: RegisterRequest) {
    assertUsablePassword(password, { email, commonPasswords: readCommonPasswords(), pointer: "#/password" });
    // A registration guesses nothing: where it cannot be counted it goes on.
    await sources.count(ip).catch((error: unknown) => {
      if ((error as AppError).code !== "unavailable") throw error;
    });
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
