/** Runs one thing at a time. */
export type Lock = <T>(run: () => Promise<T>) => Promise<T>;

/** Makes a lock that all tabs share (Web Locks API), or, where there is none, or without a name, a queue of this client's own. */
export function createLock(name?: string): Lock {
  let turn: Promise<unknown> = Promise.resolve();
  const locks = globalThis.navigator?.locks;
  if (name && locks) return <T>(run: () => Promise<T>) => locks.request(name, run) as Promise<T>;
  return <T>(run: () => Promise<T>) => {
    const result = turn.then(run);
    turn = result.catch(() => {});
    return result;
  };
}
