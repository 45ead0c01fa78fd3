import { AsyncLocalStorage } from "node:async_hooks";

const current = new AsyncLocalStorage<AbortSignal>();

/** Runs what answers one request. As soon as the signal aborts, nothing that it began sends anything more. */
export function runUntil<T>(signal: AbortSignal, run: () => T): T {
  return current.run(signal, run);
}

/** The signal of the request that is being answered, if there is one. */
export const currentSignal = (): AbortSignal | undefined => current.getStore();
