/** Tells the time: whole epoch seconds. */
export type Clock = () => number;

/** The machine's clock in epoch milliseconds, for logs; the only place that reads it. */
export const systemTimeMs = (): number => Date.now();

/** The machine's clock. */
export const systemClock: Clock = () => Math.floor(systemTimeMs() / 1000);
