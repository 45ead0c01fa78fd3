/** Tells the time: whole epoch seconds. */
export type Clock = () => number;

/** Tells the time in epoch milliseconds, where a rule compares an age. */
export type ClockMs = () => number;

/** The machine's clock in epoch milliseconds; the only place that reads it. */
export const systemClockMs: ClockMs = () => Date.now();

/** The machine's clock. */
export const systemClock: Clock = () => toSeconds(systemClockMs());

/** The whole second of a time in milliseconds. */
export const toSeconds = (timeMs: number): number => Math.floor(timeMs / 1000);
