import type { KeyLife } from "../../lib/tokens/key-set.ts";
import type { KeySetKind } from "./sets.ts";
import type { KeyStore } from "./store.ts";

/** Where a secret text is kept: the secret of a stage, or a file of `npm start`. */
export interface TextStore {
  /** What people know it by. */
  name: string;
  find(): Promise<{ text: string; version: string } | undefined>;
  /** Stores the first text; does nothing if there is one. */
  create(text: string): Promise<void>;
  /** Replaces the text that was seen. Throws KeySetMovedError, and changes nothing, if it is no longer the current one. */
  replace(version: string, text: string): Promise<void>;
}

/** Opens the key set that a text is. */
export function openKeySet<Key extends KeyLife>(store: TextStore, kind: KeySetKind<Key>): KeyStore<Key> {
  return {
    name: store.name,
    kind,

    async find() {
      const found = await store.find();
      if (!found) return undefined;
      try {
        return { set: { keys: kind.parse(found.text) }, version: found.version };
      } catch (error) {
        throw new Error(`${store.name} ${(error as TypeError).message}`);
      }
    },

    create: (set) => store.create(JSON.stringify(set)),
    replace: ({ version }, set) => store.replace(version, JSON.stringify(set)),
  };
}
