import { isSameHash } from "../tokens/refresh-token.ts";
import type { Session } from "./session.ts";

/** The two durations that decide about repeats, in seconds. */
export interface RotationSettings {
  refreshWindowSeconds: number;
  refreshMinIntervalSeconds: number;
}

/** One refresh: what was presented, the salt made for this very request, and when. */
export interface RotationAttempt {
  presentedHash: string;
  rotationSalt: string;
  keyHash: string | undefined;
  now: number;
}

/** What a refused rotation means. */
export type Verdict =
  /** The session does not exist, or its time is over. */
  | { is: "over" }
  /** Our own write had succeeded and the SDK's retry met it. */
  | { is: "own-write"; session: RotatedSession }
  /** The current pair, rotated less than the minimum interval ago: it stays. */
  | { is: "current"; session: Session }
  /** The predecessor again, by its rightful holder: the successor goes out again. */
  | { is: "repeat"; session: RotatedSession; proven: boolean; rearm: boolean }
  /** A pair that was ours once and is spent. */
  | { is: "replay" };

/** A session that has been rotated at least once. */
export type RotatedSession = Session &
  Required<Pick<Session, "previousTokenHash" | "rotationSalt" | "rotatedAt">>;

/**
 * Classifies the item that a refused rotation met (docs/rotation.md, the table). Pure and total.
 * The order matters: an ended session is never revived, and our own write is known by its salt whatever the window.
 */
export function classify(
  session: Session | undefined,
  attempt: RotationAttempt,
  settings: RotationSettings,
): Verdict {
  if (!session || session.expiresAt <= attempt.now) return { is: "over" };
  if (isRotated(session) && session.rotationSalt === attempt.rotationSalt)
    return { is: "own-write", session };
  if (isSameHash(session.tokenHash, attempt.presentedHash)) return { is: "current", session };
  if (!isRotated(session) || !isSameHash(session.previousTokenHash, attempt.presentedHash))
    return { is: "replay" };

  // Another sandbox's clock may be ahead of ours: a negative age counts as 0.
  const age = Math.max(0, attempt.now - session.rotatedAt);
  if (isProven(session, attempt)) {
    // Late proven repeats re-arm, so that the client's other tabs are not overtaken by the next rotation.
    return { is: "repeat", session, proven: true, rearm: age > settings.refreshMinIntervalSeconds / 2 };
  }
  if (!session.keyed && age < settings.refreshWindowSeconds) {
    return { is: "repeat", session, proven: false, rearm: false };
  }
  return { is: "replay" };
}

function isRotated(session: Session): session is RotatedSession {
  return (
    session.previousTokenHash !== undefined &&
    session.rotationSalt !== undefined &&
    session.rotatedAt !== undefined
  );
}

function isProven(session: Session, { keyHash }: RotationAttempt): boolean {
  return (
    keyHash !== undefined &&
    session.rotationKeyHash !== undefined &&
    isSameHash(session.rotationKeyHash, keyHash)
  );
}
