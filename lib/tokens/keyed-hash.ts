import { createHmac } from "node:crypto";
import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import type { HashKey, HashKeys } from "./hash-keys.ts";
import { findKeyActiveAt } from "./key-set.ts";

/** Hashes that only functions with the hash keys can make: what is hashed cannot be guessed from them. */
export type KeyedHash = ReturnType<typeof createKeyedHash>;

/** Makes keyed hashes (HMAC-SHA-256, base64url). Every function throws AppError `unavailable` without a key. */
export function createKeyedHash({ hashKeys, clock }: { hashKeys: HashKeys; clock: Clock }) {
  async function readKeys(): Promise<HashKey[]> {
    await hashKeys.ready();
    return hashKeys.get();
  }

  return {
    /**
     * The hash under the newest key that is active – or was, at a time (epoch seconds). Where that one has been taken out,
     * since it leaked, it is today's.
     */
    async hash(text: string, at = clock()): Promise<string> {
      const keys = await readKeys();
      const key = findKeyActiveAt(at, keys) ?? findKeyActiveAt(clock(), keys);
      if (!key) throw new AppError("unavailable", { cause: new Error("no hash key is active") });
      return hashWith(key, text);
    },

    /** The hashes under every key that still verifies: the active one, and those that were replaced and are still kept. */
    async hashes(text: string): Promise<string[]> {
      const keys = await readKeys();
      return keys.filter(({ retireAfter }) => clock() < retireAfter).map((key) => hashWith(key, text));
    },
  };
}

function hashWith({ key }: HashKey, text: string): string {
  return createHmac("sha256", key).update(text).digest("base64url");
}
