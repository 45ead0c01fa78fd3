import { describe, expect, test } from "@jest/globals";
import { createKeyCache, type KeyCacheTimes } from "../../verify/key-cache.ts";

/** A cache of its own; what it loads is the number of the request, or fails while `isAway`. */
function createCache(times?: KeyCacheTimes) {
  const world = { now: 1_800_000_000, requests: 0, isAway: false };
  async function load(): Promise<number> {
    const request = ++world.requests;
    await null;
    if (world.isAway) throw new Error(`request ${request} failed`);
    return request;
  }
  return { world, cache: createKeyCache(load, () => world.now, times) };
}

describe("the keys of now", () => {
  test.each([
    [0, 1],
    [599, 1],
    [600, 2],
    [86_400, 2],
    [-1, 2], // the clock was set back
  ])("%i s later they are those of request %i", async (seconds, request) => {
    const { world, cache } = createCache();
    await cache.get();
    world.now += seconds;
    expect(await cache.get()).toBe(request);
  });

  test.each([
    [600, 1],
    [4_199, 1],
    [4_200, undefined],
  ])("offline for %i s they are those of request %s", async (seconds, request) => {
    const { world, cache } = createCache();
    await cache.get();
    world.isAway = true;
    world.now += seconds;
    expect(await cache.get().catch(() => undefined)).toBe(request);
    world.isAway = false;
    world.now += 5;
    expect(await cache.get()).toBe(3);
  });

  test("any number of callers at once send one request, and one after a failure waits 5 s", async () => {
    const { world, cache } = createCache();
    world.isAway = true;
    const first = await Promise.allSettled([cache.get(), cache.get(), cache.renew()]);
    expect(first.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    world.now += 4;
    await expect(cache.get()).rejects.toThrow("request 1 failed");
    expect(world.requests).toBe(1);
    world.now += 1;
    world.isAway = false;
    expect(await Promise.all([cache.get(), cache.get()])).toEqual([2, 2]);
  });
});

test("what is unknown is looked for once in 30 s", async () => {
  const { world, cache } = createCache();
  await cache.get();
  expect(await cache.renew()).toBe(1);
  world.now += 29;
  expect(await cache.renew()).toBe(1);
  world.now += 1;
  expect([await cache.renew(), await cache.renew(), world.requests]).toEqual([2, 2, 2]);
});

test("the times can be chosen", async () => {
  const { world, cache } = createCache({ maxAgeSeconds: 60, offlineSeconds: 0, cooldownSeconds: 0 });
  await cache.get();
  expect(await cache.renew()).toBe(2);
  world.isAway = true;
  world.now += 59;
  expect(await cache.get()).toBe(2);
  world.now += 1;
  await expect(cache.get()).rejects.toThrow("request 3 failed");
});
