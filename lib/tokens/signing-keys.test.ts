import { describe, expect, test } from "@jest/globals";
import { createKey, publicKey, type TestKey } from "../../tests/support/keys.ts";
import { log } from "../../tests/support/log.ts";
import type { OurJwk } from "./keys.ts";
import { createSecretSigningKeys, createStaticSigningKeys } from "./signing-keys.ts";

const start = 1_800_000_000;
const first = createKey("EdDSA");
const second = createKey("EdDSA");
const textOf = (...keys: TestKey[]) => JSON.stringify({ keys });
const unavailable = { name: "AppError", code: "unavailable" };
const kidsOf = (keys: { kid: string }[]) => keys.map(({ kid }) => kid);

/** Lets what is under way in the background come to its end. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A source of keys, with the secret that it reads and the clock that it sees. */
function open({ secret = textOf(first), published = [first, second], isAway = false } = {}) {
  /** Reading waits for the gate. */
  const store = { secret, isAway, readings: 0, now: start, gate: Promise.resolve() };
  const keys = createSecretSigningKeys({
    async readSecret() {
      store.readings++;
      await store.gate;
      if (store.isAway) throw new Error("the store is away");
      return store.secret;
    },
    published: published.map(publicKey),
    clock: () => store.now,
  });
  return { store, keys };
}

test("keys in the environment are there at once, and ready from the time on at which one is active", async () => {
  const [now, later] = [first, { ...second, activeFrom: start }] as [OurJwk, OurJwk];
  expect(kidsOf(await (await createStaticSigningKeys([now, later], () => start)).get())).toEqual([
    first.kid,
    second.kid,
  ]);
  let time = start - 1;
  const keys = await createStaticSigningKeys([later], () => time);
  const cause = expect.objectContaining({ message: expect.stringContaining("no published signing key") });
  await expect(keys.ready()).rejects.toMatchObject({ ...unavailable, cause });
  time = start;
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

  test("are read again after five minutes, and nobody waits for it but who signs then", async () => {
    const { store, keys } = open();
    await keys.ready();
    store.secret = textOf(first, { ...second, activeFrom: start });
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

  test("that are too old are not signed with when they cannot be read again", async () => {
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

  test("that are not published sign nothing", async () => {
    const secret = textOf(first, { ...second, activeFrom: start });
    const { keys } = open({ secret, published: [first] });
    expect(kidsOf(await keys.get())).toEqual([first.kid]);
    await expect(open({ published: [second] }).keys.ready()).rejects.toMatchObject(unavailable);
  });

  test.each([
    ["nothing", ""],
    ["no key set", "{}"],
    ["public keys", JSON.stringify({ keys: [{ ...publicKey(first), activeFrom: 0 }] })],
    ["a damaged key", textOf({ ...first, x: second.x ?? "", d: "AA" })],
    ["no key that is active yet", textOf({ ...first, activeFrom: start + 1 })],
  ])("that are %s are no keys", async (_, secret) => {
    const { keys } = open({ secret });
    await expect(keys.ready()).rejects.toMatchObject({ ...unavailable, cause: expect.any(Error) });
    await expect(keys.get()).rejects.toMatchObject(unavailable);
  });
});
