import type { DeviceKey } from "../device-binding/challenge.ts";
import { isSameHash } from "../tokens/refresh-token.ts";
import { isKeyPresented, isSameKey, type PresentedKeys } from "./presented-keys.ts";
import type { Session } from "./session.ts";

/** The durations that decide about repeats. */
export interface RotationSettings {
  refreshWindowSeconds: number;
  /** A proven repeat later than this re-arms; see `findRearmAge`. */
  rearmAfterSeconds: number;
  /** So often it does between two rotations; see `maxRearms`. */
  maxRearms: number;
}

/** One refresh: what was presented, the salt made for this very request, and when (epoch milliseconds). */
export interface RotationAttempt extends PresentedKeys {
  presentedHash: string;
  rotationSalt: string;
  /** The key of a browser that has proven it. */
  deviceKey?: DeviceKey | undefined;
  nowMs: number;
}

/** What a refused rotation means. */
export type Verdict =
  /** The session does not exist, or its time is over. */
  | { is: "over" }
  /** The session is bound to a Session-Key that did not come. */
  | { is: "key-missing" }
  /** The session is bound to the key of a browser that the request does not prove. */
  | { is: "unproven"; session: Session }
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
  Required<Pick<Session, "previousTokenHash" | "rotationSalt" | "rotatedAtMs" | "renewedAtMs">>;

/**
 * The age from which a proven repeat re-arms, in seconds: half the minimum interval, but 25 s before its end where that
 * is sooner. A repeat that is answered 12 s later, and a request with the old pair sent just before that and as slow,
 * still meet the predecessor (tests/models/rotation.test.ts).
 */
export function findRearmAge(refreshMinIntervalSeconds: number): number {
  return Math.max(0, Math.min(refreshMinIntervalSeconds / 2, refreshMinIntervalSeconds - 25));
}

/**
 * How often proven repeats re-arm between two rotations. Each puts off the next rotation, and what was copied is a replay
 * only after that: whoever repeats a copied request must not put it off for ever. An honest client would have to lose ten
 * answers in a row; its repeats are answered all the same, and only its slow tabs are no longer waited for.
 */
export const maxRearms = 10;

/**
 * Classifies the item that a refused rotation met (docs/rotation.md, the table). Pure and total.
 * The order matters: an ended session is never revived, nobody without the key of its browser, or its Session-Key, learns
 * or ends anything, and our own write is known by its salt whatever the window.
 */
export function classify(
  session: Session | undefined,
  attempt: RotationAttempt,
  settings: RotationSettings,
): Verdict {
  const { presentedHash, nowMs } = attempt;
  if (!session || session.expiresAt * 1000 <= nowMs) return { is: "over" };
  // A browser cannot send the Session-Key with its own proof, which says more.
  if (session.deviceKey !== attempt.deviceKey) return { is: "unproven", session };
  if (attempt.deviceKey === undefined && !isKeyPresented(session, attempt)) return { is: "key-missing" };
  if (isRotated(session) && session.rotationSalt === attempt.rotationSalt)
    return { is: "own-write", session };
  if (isSameHash(session.tokenHash, presentedHash)) return { is: "current", session };
  if (!isRotated(session) || !isSameHash(session.previousTokenHash, presentedHash)) return { is: "replay" };

  if (isProven(session, attempt)) {
    // Late proven repeats re-arm, so that the client's other tabs are not overtaken by the next rotation.
    const isLate = nowMs - session.rotatedAtMs > settings.rearmAfterSeconds * 1000;
    const isRearmable = (session.rearms ?? 0) < settings.maxRearms;
    return { is: "repeat", session, proven: true, rearm: isLate && isRearmable };
  }
  // Another sandbox's clock may be ahead of ours: a negative age counts as 0.
  const ageMs = Math.max(0, nowMs - session.renewedAtMs);
  if (!session.keyed && ageMs < settings.refreshWindowSeconds * 1000) {
    return { is: "repeat", session, proven: false, rearm: false };
  }
  return { is: "replay" };
}

function isRotated(session: Session): session is RotatedSession {
  return (
    session.previousTokenHash !== undefined &&
    session.rotationSalt !== undefined &&
    session.rotatedAtMs !== undefined &&
    session.renewedAtMs !== undefined
  );
}

/**
 * The key of the browser proves a repeat. Else the key of the rotation does, as this request's key or as the one before it – the latter not where two
 * rotations in a row had the same key: that is no client of ours, but somebody who copied one request.
 */
function isProven(session: Session, { keyHash, previousKeyHash, deviceKey }: RotationAttempt): boolean {
  const { rotationKeyHash } = session;
  if (deviceKey !== undefined) return true;
  if (isSameKey(rotationKeyHash, keyHash)) return true;
  return isSameKey(rotationKeyHash, previousKeyHash) && !isSameKey(rotationKeyHash, session.previousKeyHash);
}
