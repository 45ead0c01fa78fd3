import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import { logFailure } from "../log.ts";

/** Where functions get keys from that nobody else may have. Both functions throw AppError `unavailable`. */
export interface KeySource<Key> {
  /**
   * Resolves when there is a key to work with; to be awaited before a write whose response must be signed.
   * Starts to read the keys again when they are a few minutes old, and does not wait for that.
   */
  ready(): Promise<void>;
  /** The keys, newest reading included. */
  get(): Promise<Key[]>;
}

/**
 * Keys may be used for ten minutes after they were read. A promoted key becomes active later than that
 * (`npm run keys -- promote`), so keys that are not older work exactly as the newest ones would.
 */
export const usableSeconds = 600;
/** Keys are read again after five minutes. */
const freshSeconds = 300;
/** When that fails, it is tried again half a minute later: the keys are still usable, and the store has trouble. */
const retrySeconds = 30;

interface KeySourceOptions {
  /** What the log calls them: `signing keys`. */
  name: string;
  clock: Clock;
}

/** Makes the source of keys that stand in the environment. */
export function createStaticKeys<Key extends { activeFrom: number }>(
  keys: Key[],
  { name, clock }: KeySourceOptions,
): KeySource<Key> {
  return { ready: async () => assertActive(keys, name, clock()), get: async () => keys };
}

/**
 * Makes the source of keys that are kept in a secret store; `readKeys` is called at once, and again when they are no
 * longer fresh. A failed reading is not kept.
 */
export function createSecretKeys<Key extends { activeFrom: number }>(
  readKeys: () => Promise<Key[]>,
  { name, clock }: KeySourceOptions,
): KeySource<Key> {
  let current: { keys: Key[]; readAt: number } | undefined;
  let reading: Promise<void> | undefined;
  let triedAt = 0;

  const age = () => (current ? Math.max(0, clock() - current.readAt) : Number.POSITIVE_INFINITY);
  const isUsable = () => age() < usableSeconds;

  function read(): Promise<void> {
    reading ??= readOnce().finally(() => {
      reading = undefined;
    });
    return reading;
  }

  async function readOnce(): Promise<void> {
    const readAt = clock();
    triedAt = readAt;
    try {
      const keys = await readKeys();
      assertActive(keys, name, readAt);
      current = { keys, readAt };
    } catch (error) {
      throw new AppError("unavailable", { cause: error });
    }
  }

  /** For a reading that somebody awaits later, or nobody. */
  function readInBackground(): void {
    read().catch((error: unknown) => logFailure(name, error));
  }

  readInBackground();
  return {
    async ready() {
      if (!isUsable()) await read();
      else if (age() >= freshSeconds && clock() - triedAt >= retrySeconds) readInBackground();
    },
    async get() {
      await reading?.catch((error: unknown) => {
        if (!isUsable()) throw error;
      });
      if (!current) throw new AppError("unavailable");
      return current.keys;
    },
  };
}

/**
 * The same, once the first reading is over, well or not: no sandbox is frozen in the midst of it, and its first request finds the
 * keys.
 */
export async function openSecretKeys<Key extends { activeFrom: number }>(
  readKeys: () => Promise<Key[]>,
  options: KeySourceOptions,
): Promise<KeySource<Key>> {
  const source = createSecretKeys(readKeys, options);
  await source.ready().catch(() => undefined);
  return source;
}

/** Without a key for what happens now, nothing may be written: its response could not be signed. */
function assertActive(keys: { activeFrom: number }[], name: string, now: number): void {
  if (keys.some(({ activeFrom }) => activeFrom <= now)) return;
  throw new AppError("unavailable", { cause: new Error(`none of the ${name} is active`) });
}
