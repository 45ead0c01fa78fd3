import { note } from "../log.ts";
import type { KeyedHash } from "../tokens/keyed-hash.ts";
import type { SessionAddress } from "./store.ts";

/** Makes what notes in the log whose request it is: the user, and the session as a keyed hash. Never throws. */
export function createSessionNote({ hash }: Pick<KeyedHash, "hash">) {
  return async function noteSession({ userId, sessionId }: SessionAddress): Promise<void> {
    note({ userId });
    // A line without the session is better than none.
    const sessionHash = await hash(`log session:${sessionId}`).catch(() => undefined);
    if (sessionHash !== undefined) note({ sessionHash });
  };
}
