import type { KeyedHash } from "../tokens/keyed-hash.ts";
import type { AttemptStore } from "./store.ts";

/** What is hashed for the row of strangers at an account, by its address. */
export const accountRow = (email: string): string => `account:${email}`;

/** What is hashed for the row of a browser that has logged in before, by the session of that login. */
export const deviceRow = ({ sessionId, userId }: { sessionId: string; userId: string }): string =>
  `device:${sessionId}:${userId}`;

/** Forgets the attempts of strangers at an account, by its address. Never throws. */
export type ForgetAttempts = ReturnType<typeof createForgetAttempts>;

/** Makes what forgets the attempts at an account whose owner has got in another way. */
export function createForgetAttempts(
  attempts: Pick<AttemptStore, "clear">,
  { hash }: Pick<KeyedHash, "hash">,
) {
  return async function forgetAttempts(email: string): Promise<void> {
    // A counter that cannot be cleared now is no reason to refuse.
    await hash(accountRow(email))
      .then(attempts.clear)
      .catch(() => undefined);
  };
}
