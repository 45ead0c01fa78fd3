import { createHmac } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { expectProblem, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { fail, loseAnswer } from "../support/faults.ts";
import { log } from "../support/log.ts";
import { cookieOf, type Pair } from "../support/pair.ts";
import { createRotations, key, otherKey, remove, update } from "../support/rotations.ts";
import { startService } from "../support/service.ts";

const service = await startService();
const { sandbox, database, wire, expectRefusal } = service;
const { rotated, expectReplay, expectGoesOn } = createRotations(service);

describe("a spent pair", () => {
  test.each([
    ["without keys", {}],
    ["with keys", { login: key, refresh: key }],
  ])(
    "R09 older than the predecessor is a replay at any time, %s",
    async (_, keys: { login?: string; refresh?: string }) => {
      const { first, second } = await rotated(keys);
      clock.advance(30);
      const third = await service.rotate(second, { key: keys.refresh });
      await expectReplay(first, third, keys.refresh);
    },
  );

  test("R42 ends only its own session", async () => {
    const others: Pair[] = [];
    for (let i = 0; i < 4; i++) others.push(await service.logIn());
    const { first, second } = await rotated();
    clock.advance(10);
    await expectReplay(first, second);
    for (const other of others) await service.rotate(other);
  });

  test("R46 ends the session at its next use when the deletion was not confirmed", async () => {
    const { first, second } = await rotated();
    clock.advance(10);
    wire.break(remove, fail, { times: 3 });
    const names = [update, remove, remove, remove];
    await expectRefusal(() => service.refresh(first), refusals.unavailable, names);
    expect(log.events()).toEqual([]);
    expect(await service.findSession(first)).toBeDefined();
    await expectReplay(first, second);
  });

  test("R10 of a session that has ended is refused and revives nothing", async () => {
    const { first, second } = await rotated();
    clock.advance(10);
    await service.refresh(first);
    for (let i = 0; i < 10; i++) {
      for (const pair of [first, second])
        await expectRefusal(() => service.refresh(pair), refusals.tokenExpired, [update]);
    }
    expect(await service.findSession(first)).toBeUndefined();
  });

  test("is one JSON line in the log, with nothing of the request in it", async () => {
    const { first } = await rotated();
    await service.refresh(first);
    clock.advance(10);
    await service.refresh(first);
    const repeats = log.entries().filter(({ level }) => level === "WARN");
    expect(repeats).toMatchObject([
      { event: "authn_token_repeat_unproven", userId: first.claims.sub },
      { event: "authn_token_reuse", userId: first.claims.sub },
    ]);
    // The session is the same, and it is not named.
    expect(new Set(repeats.map(({ sessionHash }) => sessionHash)).size).toBe(1);
    expect(JSON.stringify(repeats)).not.toContain(first.claims.sid);
  });
});

test("R18 a thief in step with an unkeyed victim is noticed when the two part", async () => {
  const stolen = await service.logIn();
  const thief = await service.rotate(stolen);
  clock.advance(5);
  const victim = await service.rotate(stolen);
  expect(victim.cookies).toEqual(thief.cookies);
  clock.advance(30);
  const ahead = await service.rotate(thief);
  clock.advance(10);
  await expectReplay(victim, ahead);
});

// What a thief has who copied one refresh on its way, or the whole profile of a browser.
test.each([
  ["every 20 s", 20, 42, 1],
  ["just before each refresh of the victim, ten of which get the same pair", 800, 1, 11],
])("R49 a thief who repeats one copied refresh %s is found out", async (_, seconds, repeats, refreshes) => {
  const first = await service.logIn({ key });
  const copied = { key: otherKey, previousKey: key };
  const second = await service.rotate(first, copied);
  let [next, seen] = [second, 0];
  while (next.refreshToken === second.refreshToken && seen++ < 20) {
    for (let i = 0; i < repeats; i++) {
      clock.advance(seconds);
      await service.rotate(first, copied);
    }
    next = await service.rotate(second, { key: `key-of-the-victim-${seen}`, previousKey: otherKey });
  }
  expect(seen).toBe(refreshes);
  await expectReplay(first, next, otherKey);
});

test("R13 a lost answer that an unkeyed client asks for again after a minute ends the session", async () => {
  const first = await service.logIn();
  wire.break(update, loseAnswer, { times: 3 });
  expectProblem(await service.refresh(first), refusals.unavailable);
  clock.advance(60);
  await expectReplay(first, first);
});

test("R36 a pair that is newer than a restored table ends its session, and says so", async () => {
  const { first, second } = await rotated();
  const backup = (await service.findSession(first)) ?? {};
  clock.advance(30);
  const third = await service.rotate(second);
  await database.put("sessions", backup);
  clock.advance(30);
  await expectReplay(third, second);
});

test("R48 nothing that the table holds, or that can be made of it, is a refresh token", async () => {
  const { second: pair } = await rotated();
  const { tokenHash, previousTokenHash, rotationSalt } = (await service.findSession(pair)) ?? {};
  const stored: string[] = [tokenHash, previousTokenHash, rotationSalt];
  const made = stored.flatMap((text) =>
    [rotationSalt, tokenHash].map((key) =>
      createHmac("sha256", Buffer.from(key, "base64url")).update(text).digest("base64url"),
    ),
  );
  for (const refreshToken of [...stored, ...made]) {
    const cookies = [cookieOf({ token: pair.token, refreshToken })];
    await expectRefusal(() => sandbox.refresh({ cookies }), refusals.invalidRefreshToken);
  }
  await expectGoesOn(pair);
});
