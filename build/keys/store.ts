import type { KeyLife } from "../../lib/tokens/key-set.ts";
import { createKeySet, type KeySet, markPublished } from "./lifecycle.ts";
import type { KeySetKind } from "./sets.ts";

/** A key set as it was read: a replacement must name the version that it was made from. */
export interface StoredKeySet<Key extends KeyLife = KeyLife> {
  set: KeySet<Key>;
  version: string;
}

/** Where a key set is kept: the secret of a stage, or the file of `npm start`. */
export interface KeyStore<Key extends KeyLife = KeyLife> {
  /** What people know it by. */
  name: string;
  /** What its keys are. */
  kind: KeySetKind<Key>;
  find(): Promise<StoredKeySet<Key> | undefined>;
  /** Stores the first key set; does nothing if there is one. */
  create(set: KeySet<Key>): Promise<void>;
  /** Replaces a set by its successor. Throws KeySetMovedError, and changes nothing, if it is no longer the current one. */
  replace(seen: StoredKeySet<Key>, set: KeySet<Key>): Promise<void>;
}

/** Somebody else was faster, and nothing was changed. */
export class KeySetMovedError extends Error {
  override readonly name = "KeySetMovedError";
}

/** Says in one line what went wrong with a store: what we say ourselves as it is, of others whose it is. */
export function explainFailure({ name: store }: KeyStore, error: NodeJS.ErrnoException): string {
  const { name, message, code } = error;
  return name === "Error" ? message : `${store}: ${name}: ${message || code}`;
}

const attempts = 5;

/** Finds the key set of a store; makes it first if there is none. However many do so at once, they get the same. */
export async function findOrCreateKeySet<Key extends KeyLife>(
  store: KeyStore<Key>,
  now: number,
): Promise<KeySet<Key>> {
  const found = await store.find();
  if (found) return found.set;
  await store.create(createKeySet(await store.kind.generate(), now));
  const created = await store.find();
  if (!created) throw new Error(`${store.name} exists, but holds no key set`);
  return created.set;
}

/** Notes in a store that a deployment which publishes the keys `kids` has finished: from now on they may be promoted. */
export async function notePublished(
  store: KeyStore,
  deployment: { kids: string[]; refreshTokenTtlSeconds: number; now: number },
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const seen = await store.find();
    if (!seen) throw new Error(`${store.name} is gone`);
    const set = markPublished(seen.set, deployment, store.kind);
    if (JSON.stringify(set) === JSON.stringify(seen.set)) return;
    try {
      return await store.replace(seen, set);
    } catch (error) {
      if (!(error instanceof KeySetMovedError) || attempt === attempts) throw error;
    }
  }
}
