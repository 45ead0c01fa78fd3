import { createHmac } from "node:crypto";
import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import { findKeyActiveAt, type SigningKey } from "./keys.ts";
import type { SigningKeys } from "./signing-keys.ts";

/** Hashes that only functions with the signing keys can make: what is hashed cannot be guessed from them. */
export type KeyedHash = ReturnType<typeof createKeyedHash>;

/** Makes keyed hashes (HMAC-SHA-256, base64url). Every function throws AppError `unavailable` without a key. */
export function createKeyedHash({ signingKeys, clock }: { signingKeys: SigningKeys; clock: Clock }) {
  async function readKeys(): Promise<SigningKey[]> {
    await signingKeys.ready();
    return signingKeys.get();
  }

  return {
    /** The hash under the key that signs now. */
    async hash(text: string): Promise<string> {
      const key = findKeyActiveAt(clock(), await readKeys());
      if (!key) throw new AppError("unavailable", { cause: new Error("no signing key is active") });
      return hashWith(key, text);
    },

    /** The hashes under every key of the deployment: one of them was made by `hash`, if the key is still kept. */
    async hashes(text: string): Promise<string[]> {
      return (await readKeys()).map((key) => hashWith(key, text));
    },
  };
}

function hashWith({ hashKey }: SigningKey, text: string): string {
  return createHmac("sha256", hashKey).update(text).digest("base64url");
}
