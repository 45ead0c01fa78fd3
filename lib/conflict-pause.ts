import { setTimeout } from "node:timers/promises";

/** Waits before a write is tried again for the first, second or third time. */
export type Pause = (repeat: number) => Promise<unknown>;

/** A write that met another one in a transaction is tried again this many times. */
export const maxRepeats = 3;

/** Waits a random time of at most 100, 200, 400 ms: whoever met does not meet again. */
export const pauseWithJitter: Pause = (repeat) => setTimeout(Math.random() * 50 * 2 ** repeat);
