import { within } from "./within.ts";

/** Runs one thing at a time. */
export type Lock = <T>(run: () => Promise<T>) => Promise<T>;

/** A tab that was suspended may hold the lock for days: the others wait longer than a request may be under way. */
const maxWaitMs = 15_000;

/**
 * Makes a lock that all tabs share (Web Locks API). Without a name, where there are no Web Locks, and when the lock is not
 * free in time, it is a queue of this client's own: two tabs that refresh at once do no harm (docs/rotation.md).
 */
export function createLock(name?: string | false): Lock {
  let turn: Promise<unknown> = Promise.resolve();
  const alone: Lock = (run) => {
    const result = turn.then(run);
    turn = result.catch(() => {});
    return result;
  };
  const locks = globalThis.navigator?.locks;
  if (!name || !locks) return alone;
  return <T>(run: () => Promise<T>): Promise<T> => {
    let running: Promise<T> | undefined;
    const start = () => {
      running = run();
      return running;
    };
    const inTurn = within(maxWaitMs, (signal) => locks.request(name, { signal }, start) as Promise<T>);
    return inTurn.catch(() => running ?? alone(run));
  };
}
