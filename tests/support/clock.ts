import { AsyncLocalStorage } from "node:async_hooks";

const ownTime = new AsyncLocalStorage<number>();
let now = 1_800_000_000;

// lib/clock.ts is the only reader of time in the service, and this is what it reads.
Date.now = () => (ownTime.getStore() ?? now) * 1000;

/** The time that the sandboxes of a test file read, in epoch seconds. It stands still until a test moves it. */
export const clock = {
  get now(): number {
    return ownTime.getStore() ?? now;
  },

  advance(seconds: number): void {
    if (seconds < 0) throw new RangeError("the clock goes forward only: no token is from the future");
    now += seconds;
  },

  /** Runs a call as a sandbox whose own clock shows `at`. */
  runAt<T>(at: number, call: () => T): T {
    return ownTime.run(at, call);
  },
};
