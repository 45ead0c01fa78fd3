import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import { logFailure } from "../log.ts";
import { findUnpublishedKids, importSigningKeys, type OurJwk, parseJwkSet, type SigningKey } from "./keys.ts";

/** Where the functions that sign get their keys from. Both throw AppError `unavailable`. */
export interface SigningKeys {
  /**
   * Resolves when there is a key to sign with; to be awaited before a write whose response must be signed.
   * Starts to read the keys again when they are a few minutes old, and does not wait for that.
   */
  ready(): Promise<void>;
  /** The keys, newest reading included. */
  get(): Promise<SigningKey[]>;
}

/**
 * Keys may be used for ten minutes after they were read. A promoted key becomes active later than that
 * (`npm run keys -- promote`), so keys that are not older sign exactly as the newest ones would.
 */
export const usableSeconds = 600;
/** Keys are read again after five minutes. */
const freshSeconds = 300;
/** When that fails, it is tried again half a minute later: the keys are still usable, and the store has trouble. */
const retrySeconds = 30;

/** Makes the source of keys that stand in the environment (`JWT_SIGNING_KEYS`). */
export async function createStaticSigningKeys(jwks: OurJwk[], clock: Clock): Promise<SigningKeys> {
  const keys = await importSigningKeys(jwks);
  return { ready: async () => assertActive(keys, clock()), get: async () => keys };
}

interface SecretSigningKeysOptions {
  /** Reads the key set (JWK set, JSON); called at once and again when the keys are no longer fresh. */
  readSecret: () => Promise<string>;
  published: OurJwk[];
  clock: Clock;
}

/** Makes the source of keys that are kept in a secret store. A failed reading is not kept. */
export function createSecretSigningKeys(options: SecretSigningKeysOptions): SigningKeys {
  const { readSecret, published, clock } = options;
  let current: { keys: SigningKey[]; readAt: number } | undefined;
  let reading: Promise<void> | undefined;
  let triedAt = 0;

  const age = () => (current ? Math.max(0, clock() - current.readAt) : Number.POSITIVE_INFINITY);
  const isUsable = () => age() < usableSeconds;

  function read(): Promise<void> {
    reading ??= importSecret().finally(() => {
      reading = undefined;
    });
    return reading;
  }

  async function importSecret(): Promise<void> {
    const readAt = clock();
    triedAt = readAt;
    try {
      const jwks = parseJwkSet(await readSecret(), "private");
      const unpublished = findUnpublishedKids(jwks, published);
      // Nobody could verify what they sign. They become ours with the deployment that publishes them.
      const keys = await importSigningKeys(jwks.filter(({ kid }) => !unpublished.includes(kid)));
      assertActive(keys, readAt);
      current = { keys, readAt };
    } catch (error) {
      throw new AppError("unavailable", { cause: error });
    }
  }

  /** For a reading that somebody awaits later, or nobody. */
  function readInBackground(): void {
    read().catch((error: unknown) => logFailure("signing keys", error));
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

/** Without a key that signs what is issued now, nothing may be written: its response could not be signed. */
function assertActive(keys: SigningKey[], now: number): void {
  if (keys.some(({ activeFrom }) => activeFrom <= now)) return;
  throw new AppError("unavailable", { cause: new Error("no published signing key is active") });
}
