import type { Session } from "../../lib/sessions/session.ts";
import type { SessionKey, SessionStore, WriteResult } from "../../lib/sessions/store.ts";

/**
 * The sessions table in memory, items by session id, with exactly the conditions and effects of lib/sessions/store.ts:
 * where the real one would take hours. rotation-table.test.ts compares the two.
 */
export function createMemorySessions(items: Map<string, Session> = new Map()) {
  function write(before: Session | undefined, isAllowed: boolean | undefined, changes: object): WriteResult {
    if (!before || !isAllowed) return { written: false, session: before };
    const session = { ...before, ...changes };
    items.set(session.sessionId, session);
    return { written: true, session };
  }

  const sessions: Pick<SessionStore, "put" | "rotate" | "rearm" | "delete"> = {
    async put(session) {
      if (!items.has(session.sessionId)) items.set(session.sessionId, session);
    },

    async rotate({ sessionId }, rotation) {
      const { presentedHash, successorHash, rotationSalt, keyHash, now, notRotatedSince, expiresAt } =
        rotation;
      const session = items.get(sessionId);
      const isAllowed =
        session?.tokenHash === presentedHash &&
        session.expiresAt > now &&
        (session.rotatedAt === undefined || session.rotatedAt <= notRotatedSince);
      const { rotationKeyHash: _, ...before } = session ?? ({} as Session);
      const changes = { tokenHash: successorHash, previousTokenHash: presentedHash, rotationSalt };
      return isAllowed
        ? write(before, true, {
            ...changes,
            ...{ rotatedAt: now, expiresAt },
            ...(keyHash !== undefined && { rotationKeyHash: keyHash }),
          })
        : { written: false, session };
    },

    async rearm({ sessionId, ...seen }, { now, expiresAt }) {
      const session = items.get(sessionId);
      const isAllowed =
        session?.tokenHash === seen.tokenHash &&
        session.previousTokenHash === seen.previousTokenHash &&
        session.rotatedAt === seen.rotatedAt;
      return write(session, isAllowed, { rotatedAt: now, expiresAt });
    },

    async delete({ sessionId }: SessionKey) {
      items.delete(sessionId);
    },
  };
  return { items, ...sessions };
}
