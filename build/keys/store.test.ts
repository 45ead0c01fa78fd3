import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import type { OurJwk } from "../../lib/tokens/keys.ts";
import { openKeyFile } from "./file.ts";
import { generateKey } from "./generate.ts";
import { type KeySet, rotate } from "./lifecycle.ts";
import { hashKeys, signingKeys } from "./sets.ts";
import { findOrCreateKeySet, KeySetMovedError, type KeyStore, notePublished } from "./store.ts";

const folder = join(tmpdir(), `key-store-${randomUUID()}`);
afterAll(() => rm(folder, { recursive: true, force: true }));

const now = 1_800_000_000;
const openStore = () => openKeyFile(join(folder, randomUUID()), signingKeys);
const setOf = async (store: KeyStore<OurJwk>) => (await store.find())?.set;

test("the first key set is made once, however many make it, and signs at once", async () => {
  const store = openStore();
  const [set, ...others] = await Promise.all([1, 2, 3, 4].map(() => findOrCreateKeySet(store, now)));
  expect(set?.keys).toEqual([expect.objectContaining({ alg: "EdDSA", activeFrom: now })]);
  others.push(await findOrCreateKeySet(store, now + 9), (await setOf(store)) as KeySet<OurJwk>);
  expect(others).toEqual(others.map(() => set));
});

test("a set has keys of its own kind", async () => {
  const own = join(folder, randomUUID());
  const [signing, hash] = [openKeyFile(own, signingKeys), openKeyFile(own, hashKeys)];
  await findOrCreateKeySet(signing, now);
  expect(await hash.find()).toBeUndefined();
  expect((await findOrCreateKeySet(hash, now)).keys).toEqual([
    expect.objectContaining({ alg: "HS256", activeFrom: now }),
  ]);
});

test("a store that loses what was created is named", async () => {
  const store: KeyStore = { ...openStore(), name: "The drawer", find: async () => undefined };
  await expect(findOrCreateKeySet(store, now)).rejects.toThrow("The drawer exists, but holds no key set");
});

/** A store with a key set of one key, and with what happens before each replacement. */
async function storeWithKey(
  before: (store: KeyStore<OurJwk>, attempt: number) => Promise<unknown> = async () => {},
) {
  const store = openStore();
  const set = await findOrCreateKeySet(store, now);
  let replacements = 0;
  const watched: KeyStore<OurJwk> = {
    ...store,
    async replace(...given) {
      replacements++;
      await before(store, replacements);
      return store.replace(...given);
    },
  };
  const [kid = ""] = set.keys.map((key) => key.kid);
  return { store: watched, set, kid, replacements: () => replacements };
}

test("a publication is noted once", async () => {
  const { store, set, kid, replacements } = await storeWithKey();
  const deployment = { kids: [kid], refreshTokenTtlSeconds: 100, now: now + 5 };
  await notePublished(store, deployment);
  const [key] = set.keys;
  const published = { keys: [{ ...key, publishedAt: now + 5, refreshTokenTtlSeconds: 100 }] };
  expect(await setOf(store)).toEqual(published);
  await notePublished(store, { ...deployment, now: now + 6 });
  expect(await setOf(store)).toEqual(published);
  expect(replacements()).toBe(1);
});

/** Somebody else adds a key, or makes the set anew. */
async function move(store: KeyStore<OurJwk>): Promise<void> {
  const seen = await store.find();
  if (!seen) throw new Error("the set is gone");
  const { keys } = rotate(seen.set, await generateKey()).set;
  const next = keys.length > seen.set.keys.length ? { keys } : { keys: keys.slice(0, 1) };
  await store.replace(seen, next);
}

test("a publication is noted in the set that somebody else made meanwhile", async () => {
  const { store, kid, replacements } = await storeWithKey(async (store, attempt) => {
    if (attempt < 5) await move(store);
  });
  await notePublished(store, { kids: [kid], refreshTokenTtlSeconds: 100, now });
  expect(replacements()).toBe(5);
  expect((await setOf(store))?.keys[0]).toMatchObject({ kid, publishedAt: now });
});

test("a publication that always comes too late is given up after five attempts", async () => {
  const { store, kid, replacements } = await storeWithKey(move);
  const call = () => notePublished(store, { kids: [kid], refreshTokenTtlSeconds: 100, now });
  await expect(call()).rejects.toThrow(KeySetMovedError);
  expect(replacements()).toBe(5);
  expect((await setOf(store))?.keys[0]?.publishedAt).toBeUndefined();
});

test("a publication is not tried again when the store fails, and wants a key set", async () => {
  const { store, kid, replacements } = await storeWithKey(async () => {
    throw new Error("no space left");
  });
  const deployment = { kids: [kid], refreshTokenTtlSeconds: 100, now };
  await expect(notePublished(store, deployment)).rejects.toThrow("no space left");
  expect(replacements()).toBe(1);
  const empty = { ...openStore(), name: "The drawer" };
  await expect(notePublished(empty, deployment)).rejects.toThrow("The drawer is gone");
});
