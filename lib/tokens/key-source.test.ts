import { describe, expect, test } from "@jest/globals";
import { keepSecrets, log } from "../../tests/support/log.ts";
import { createSecretKeys, createStaticKeys } from "./key-source.ts";

interface Key {
  kid: string;
  material: string;
  activeFrom: number;
}

const start = 1_800_000_000;
const first: Key = { kid: "first", material: "the first secret of ours", activeFrom: 0 };
const second: Key = { kid: "second", material: "the second secret of ours", activeFrom: start };
keepSecrets(first.material, second.material);
const name = "signing keys";
const unavailable = { name: "AppError", code: "unavailable" };
const kidsOf = (keys: Key[]) => keys.map(({ kid }) => kid);

/** Lets what is under way in the background come to its end. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A source of keys, with the store that it reads and the clock that it sees. */
function open({ kept = [first], isAway = false } = {}) {
  /** Reading waits for the gate. */
  const store = { kept, isAway, readings: 0, now: start, gate: Promise.resolve() };
  async function readKeys() {
    store.readings++;
    await store.gate;
    if (store.isAway) throw new Error("the store is away");
    return store.kept;
  }
  return { store, keys: createSecretKeys(readKeys, { name, clock: () => store.now }) };
}

test("keys in the environment are there at once, and ready from the time on at which one of them is active", async () => {
  let now = start - 1;
  const keys = createStaticKeys([second], { name, clock: () => now });
  expect(await keys.get()).toEqual([second]);
  const cause = expect.objectContaining({ message: "none of the signing keys is active" });
  await expect(keys.ready()).rejects.toMatchObject({ ...unavailable, cause });
  now = start;
  await keys.ready();
});

describe("keys in a secret", () => {
  test("are read with the sandbox, before anybody asks, and by all who ask together once", async () => {
    const { store, keys } = open();
    expect(store.readings).toBe(1);
    await Promise.all([keys.ready(), keys.ready(), keys.get()]);
    expect(kidsOf(await keys.get())).toEqual([first.kid]);
    expect(store.readings).toBe(1);
  });

  test("are read again after five minutes, and nobody waits for it but who needs them then", async () => {
    const { store, keys } = open();
    await keys.ready();
    store.kept = [first, second];
    store.now += 299;
    await keys.ready();
    expect(store.readings).toBe(1);
    store.now += 1;
    const gate = Promise.withResolvers<void>();
    store.gate = gate.promise;
    for (const _ of [1, 2]) await keys.ready();
    expect(store.readings).toBe(2);
    const signing = keys.get();
    gate.resolve();
    expect(kidsOf(await signing)).toEqual([first.kid, second.kid]);
    store.now += 299;
    await keys.ready();
    expect(store.readings).toBe(2);
  });

  test("are used for ten minutes when the store is away, and it is asked again every 30 s", async () => {
    const { store, keys } = open();
    await keys.ready();
    store.isAway = true;
    store.now += 300;
    log.clear();
    await keys.ready();
    expect(kidsOf(await keys.get())).toEqual([first.kid]);
    await settle();
    const errors = [{ message: "unavailable" }, { message: "the store is away" }];
    expect(log.entries()).toMatchObject([{ event: "failure", what: "signing keys", errors }]);
    store.now += 29;
    await keys.ready();
    expect(store.readings).toBe(2);
    store.now += 1;
    await keys.ready();
    await settle();
    expect(store.readings).toBe(3);
    store.now = start + 599;
    await keys.ready();
    expect(kidsOf(await keys.get())).toEqual([first.kid]);
    store.now = start + 600;
    await settle();
    await expect(keys.ready()).rejects.toMatchObject(unavailable);
  });

  test("that are too old are not used when they cannot be read again", async () => {
    const { store, keys } = open();
    await keys.ready();
    Object.assign(store, { now: start + 600, isAway: true });
    const asked = await Promise.allSettled([keys.ready(), keys.get()]);
    const refused = { status: "rejected", reason: unavailable };
    expect(asked).toMatchObject([refused, refused]);
  });

  test("that could not be read are read at the next request, and as old as 0 s for a clock that went back", async () => {
    const { store, keys } = open({ isAway: true });
    for (const call of [keys.ready, keys.get]) await expect(call()).rejects.toMatchObject(unavailable);
    Object.assign(store, { isAway: false, readings: 0 });
    await keys.ready();
    expect(kidsOf(await keys.get())).toEqual([first.kid]);
    store.now -= 1_000;
    await keys.ready();
    await settle();
    expect(store.readings).toBe(1);
    store.now = start + 300;
    await keys.ready();
    expect(store.readings).toBe(2);
  });

  test("are none before one of them is active", async () => {
    const { store, keys } = open({ kept: [{ ...first, activeFrom: start + 1 }] });
    await expect(keys.ready()).rejects.toMatchObject({ ...unavailable, cause: expect.any(Error) });
    await expect(keys.get()).rejects.toMatchObject(unavailable);
    store.now += 1;
    await keys.ready();
  });
});
