import type { Clock } from "../lib/clock.ts";

/** How long what was loaded is used, in seconds. */
export interface KeyCacheTimes {
  /** After so long it is loaded again: 600, as long as the service lets its key set be kept. */
  maxAgeSeconds?: number;
  /** If that fails, it goes on for so long: 3600. A key that was withdrawn meanwhile is still believed. */
  offlineSeconds?: number;
  /** An unknown key id is looked for at most so often: 30. Whoever makes up key ids causes no flood. */
  cooldownSeconds?: number;
}

/** What was loaded, kept for all requests of this process. */
export interface KeyCache<Keys> {
  /** The current keys. Rejects with what the loading threw, if there are none or they are too old. */
  get(): Promise<Keys>;
  /** The keys, loaded anew unless that was done a moment ago: for a key id that the current ones do not have. */
  renew(): Promise<Keys>;
}

/** After a failure it waits only for so long, or a service that starts a moment too early is down for half a minute. */
const retrySeconds = 5;

/** Makes a cache that is empty at first. However many ask at once, one request is under way. */
export function createKeyCache<Keys>(
  load: () => Promise<Keys>,
  clock: Clock,
  { maxAgeSeconds = 600, offlineSeconds = 3600, cooldownSeconds = 30 }: KeyCacheTimes = {},
): KeyCache<Keys> {
  let kept: { keys: Keys; loadedAt: number } | undefined;
  let last: { triedAt: number; pauseSeconds: number; error?: unknown } | undefined;
  let underWay: Promise<void> | undefined;

  // A clock that was set back makes nothing young.
  const isYounger = (at: number, seconds: number) => clock() >= at && clock() - at < seconds;

  async function loadAnew(): Promise<void> {
    const triedAt = clock();
    try {
      kept = { keys: await load(), loadedAt: triedAt };
      last = { triedAt, pauseSeconds: cooldownSeconds };
    } catch (error) {
      last = { triedAt, pauseSeconds: Math.min(retrySeconds, cooldownSeconds), error };
    }
  }

  async function tryToLoad(): Promise<void> {
    if (!underWay && last && isYounger(last.triedAt, last.pauseSeconds)) return;
    underWay ??= loadAnew().finally(() => {
      underWay = undefined;
    });
    await underWay;
  }

  function getKept(): Keys {
    if (kept && isYounger(kept.loadedAt, maxAgeSeconds + offlineSeconds)) return kept.keys;
    throw last?.error;
  }

  return {
    async get() {
      if (!kept || !isYounger(kept.loadedAt, maxAgeSeconds)) await tryToLoad();
      return getKept();
    },
    async renew() {
      await tryToLoad();
      return getKept();
    },
  };
}
