import type { Clock } from "../clock.ts";

/** The table is asked again after five seconds. */
const keptSeconds = 5;
/** The number of limits that are kept at most; the oldest goes first. */
const maxKept = 1_000;

/**
 * Keeps for a moment which limits have refused, so that a flood at one of them does not become a flood at its row,
 * which has a throughput of its own. It only ever refuses: whatever is allowed was counted in the table.
 */
export function createPauses(clock: Clock) {
  const kept = new Map<string, { endsAt: number; askAt: number }>();

  return {
    /** For how many seconds more this limit is known to refuse; 0 if that is not known. */
    find(id: string): number {
      const { endsAt, askAt } = kept.get(id) ?? { endsAt: 0, askAt: 0 };
      const now = clock();
      return now < askAt ? Math.max(0, endsAt - now) : 0;
    },

    /** Notes that this limit was seen to refuse, and for how many seconds. */
    keep(id: string, pauseSeconds: number): void {
      const now = clock();
      kept.delete(id);
      kept.set(id, { endsAt: now + pauseSeconds, askAt: now + keptSeconds });
      const [oldest] = kept.keys();
      if (kept.size > maxKept && oldest !== undefined) kept.delete(oldest);
    },
  };
}
