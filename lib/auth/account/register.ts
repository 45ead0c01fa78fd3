import { randomUUID } from "node:crypto";
import { createChange } from "../../accounts/change.ts";
import type { Directory } from "../../accounts/directory.ts";
import { emailTaken } from "../../accounts/email-taken.ts";
import type { SourceLimit } from "../../attempts/source-limit.ts";
import type { Clock } from "../../clock.ts";
import type { AppError } from "../../errors.ts";
import { hashPassword } from "../../factors/password-hash.ts";
import { assertUsablePassword } from "../../factors/password-policy.ts";
import type { Language } from "../../mail/language.ts";
import type { Client } from "../../sessions/session.ts";

interface RegisterOptions {
  directory: Pick<Directory, "register">;
  clock: Clock;
  commonPasswords: ReadonlySet<string>;
  sources: SourceLimit;
}

/** An account to be; the e-mail address is normalised. */
export interface RegisterRequest extends Client {
  email: string;
  password: string;
  /** The language that mails to the account are to have. */
  language: Language;
  requestId: string;
}

/** Makes the use case that creates an account. */
export function createRegister({ directory, clock, commonPasswords, sources }: RegisterOptions) {
  /**
   * Creates the account. Throws AppError `invalid_body` for a password that may not be used, `too_many_requests`,
   * `email_taken`, `unavailable`.
   */
  return async function register({ email, password, language, requestId, ...client }: RegisterRequest) {
    assertUsablePassword(password, { email, commonPasswords, pointer: "#/password" });
    // A registration guesses nothing: where it cannot be counted it goes on.
    await sources.count(client.ip).catch((error: unknown) => {
      if ((error as AppError).code !== "unavailable") throw error;
    });
    const passwordHash = await hashPassword(password);
    const userId = randomUUID();
    const createdAt = clock();
    const { is } = await directory.register({
      ...{ userId, email, language, passwordHash, sessionEpoch: 0, sweptEpoch: 0, createdAt },
      lastChange: createChange("user_created", { by: "user", client, requestId }, createdAt),
    });
    // A userId that we have just made is used by nobody else.
    if (is === "taken") throw emailTaken();
    return { userId, email };
  };
}
