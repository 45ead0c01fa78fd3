import { note, type SecurityEvent } from "../log.ts";
import type { KeyedHash } from "../tokens/keyed-hash.ts";
import type { SessionKey } from "./store.ts";

/** Makes what notes an event of a session in the log: the user, and the session as a keyed hash. Never throws. */
export function createSessionNote({ hash }: Pick<KeyedHash, "hash">) {
  return async function noteSession(event: SecurityEvent, { userId, sessionId }: SessionKey): Promise<void> {
    note({ event, userId });
    // A line without the session is better than none.
    const sessionHash = await hash(`log session:${sessionId}`).catch(() => undefined);
    if (sessionHash !== undefined) note({ sessionHash });
  };
}
