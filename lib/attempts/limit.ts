import { createHmac } from "node:crypto";
import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import { findKeyActiveAt } from "../tokens/keys.ts";
import type { SigningKeys } from "../tokens/signing-keys.ts";
import type { AttemptStore } from "./store.ts";

interface AttemptLimitOptions {
  attempts: AttemptStore;
  /** Their hash key makes the ids: the table alone names nobody. */
  signingKeys: SigningKeys;
  clock: Clock;
}

/** The limit of password attempts for one account, whether or not it exists. */
export type AttemptLimit = ReturnType<typeof createAttemptLimit>;

/** Makes the limit: 5 attempts in a row without success, then one after a pause that doubles from 30 s to an hour. */
export function createAttemptLimit({ attempts, signingKeys, clock }: AttemptLimitOptions) {
  async function createId(email: string): Promise<string> {
    await signingKeys.ready();
    const key = findKeyActiveAt(clock(), await signingKeys.get());
    if (!key) throw new AppError("unavailable", { cause: new Error("no signing key is active") });
    return createHmac("sha256", key.hashKey).update(`account:${email}`).digest("base64url");
  }

  return {
    /** Counts one attempt, before the password is looked at. Throws AppError `too_many_attempts`, `unavailable`. */
    async count(email: string): Promise<{ count: number }> {
      const counted = await attempts.count(await createId(email), clock());
      if ("count" in counted) return counted;
      const seconds = counted.pauseSeconds;
      throw new AppError("too_many_attempts", {
        detail: `Too many attempts in a row. The next one is possible in ${seconds} s.`,
        headers: { "retry-after": String(seconds) },
      });
    },

    /**
     * Forgets the attempts after a success. Where this was the only one in the row there is nothing to forget, which
     * saves the usual login a request; it then counts in the next row.
     */
    async succeed(email: string, { count }: { count: number }): Promise<void> {
      // The password was right: a counter that cannot be cleared now is no reason to refuse.
      if (count > 1) await attempts.clear(await createId(email)).catch(() => undefined);
    },
  };
}
