/** How many attempts in a row need no pause, and how long the others have to wait. */
export interface PauseRule {
  freeAttempts: number;
  /** The pause before each attempt after those, in seconds; the last one again and again. */
  pausesSeconds: readonly number[];
  /** A row is forgotten so long after its last attempt. */
  memorySeconds: number;
}

/** Of passwords: five in a row (NIST SP 800-63B-4, 3.2.2; OWASP ASVS 6.3.1), then pauses that double up to an hour. */
export const passwordPauses: PauseRule = {
  freeAttempts: 5,
  pausesSeconds: [30, 60, 120, 240, 480, 960, 1_920, 3_600],
  memorySeconds: 86_400,
};

/** Of mails to one address: at most eleven on the first day, and six on each day after that. */
export const mailPauses: PauseRule = {
  freeAttempts: 3,
  pausesSeconds: [300, 900, 3_600, 14_400],
  memorySeconds: 172_800,
};

/** A row of attempts without success. Times are epoch seconds. */
export interface Attempts {
  /** How many there were. */
  count: number;
  lastAt: number;
  /** When the row is forgotten. */
  expiresAt: number;
}

/** How many seconds are left until the next attempt is allowed; 0 if it is now. */
export function findPauseLeft(
  { count, lastAt }: Attempts,
  { freeAttempts, pausesSeconds }: PauseRule,
  now: number,
): number {
  const pause = count < freeAttempts ? 0 : (pausesSeconds[count - freeAttempts] ?? pausesSeconds.at(-1) ?? 0);
  return Math.max(0, lastAt + pause - now);
}
