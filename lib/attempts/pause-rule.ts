/** Five attempts in a row need no pause (NIST SP 800-63B-4, 3.2.2; OWASP ASVS 6.3.1). */
export const freeAttempts = 5;

/** The pause before each attempt after those, in seconds: doubling up to an hour. */
export const pausesSeconds = [30, 60, 120, 240, 480, 960, 1_920, 3_600] as const;

/** A row of attempts without success. Times are epoch seconds. */
export interface Attempts {
  /** How many there were. */
  count: number;
  lastAt: number;
  /** When the row is forgotten. */
  expiresAt: number;
}

/** A row is forgotten a day after its last attempt. */
export const memorySeconds = 86_400;

/** How many seconds are left until the next attempt is allowed; 0 if it is now. */
export function findPauseLeft({ count, lastAt }: Attempts, now: number): number {
  const pause = count < freeAttempts ? 0 : (pausesSeconds[count - freeAttempts] ?? pausesSeconds.at(-1) ?? 0);
  return Math.max(0, lastAt + pause - now);
}
