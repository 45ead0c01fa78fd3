/** Tells the time: whole epoch seconds. */
export type Clock = () => number;

/** The machine's clock; the only place that reads it. */
export const systemClock: Clock = () => Math.floor(Date.now() / 1000);
