import { describe, expect, test } from "@jest/globals";
import { expectCookie, expectProblem, refusals } from "./support/answer.ts";
import { clock } from "./support/clock.ts";
import { fail, precededBy } from "./support/faults.ts";
import { createKey, keySettings } from "./support/keys.ts";
import { log } from "./support/log.ts";
import { type Pair, pairOf } from "./support/pair.ts";
import type { Sandbox } from "./support/sandbox.ts";
import { signingKey, startServices } from "./support/service.ts";

const services = await startServices();
const [service] = services;
const key = "6b1f7f9e-0a52-4d2e-8f0c-9f1f4f0e6a01";
const otherKey = "ffffffff-0a52-4d2e-8f0c-9f1f4f0e6a02";

const update = "UpdateItem sessions";
const remove = "DeleteItem sessions";

// Defaults: a window of 10 s, a minimum interval of 30 s, access tokens of 900 s.
describe.each(services)("S07 rotation on $engine", (service) => {
  const { database, wire, expectRequests, expectRefusal } = service;
  // The embedded engine does not say which item refused a write: one strongly consistent read.
  const look = service.engine === "embedded" ? ["GetItem sessions"] : [];
  const lineOf = (pair: Pair, key?: string) => service.refresh(pair, { key }).then(expectCookie);

  /** A session that has been rotated once, just now, a while after its login. */
  async function rotated(keys: { login?: string | undefined; refresh?: string | undefined } = {}) {
    const first = await service.logIn({ key: keys.login });
    clock.advance(100);
    const response = await service.refresh(first, { key: keys.refresh });
    return { first, second: pairOf(response), line: expectCookie(response) };
  }

  /** Asserts that a pair is refused as a replay: its session is gone, for both sides. */
  async function expectReplay(pair: Pair, current: Pair, key?: string) {
    log.clear();
    await expectRefusal(() => service.refresh(pair, { key }), refusals.tokenExpired, [
      update,
      ...look,
      remove,
    ]);
    expect(log.events()).toEqual(["authn_token_reuse"]);
    expect(await service.findSession(pair)).toBeUndefined();
    for (const spent of [current, pair]) {
      await expectRefusal(() => service.refresh(spent, { key }), refusals.tokenExpired, [update, ...look]);
    }
    expect(await service.findSession(pair)).toBeUndefined();
  }

  /** Asserts that a pair is answered with this very cookie and that nothing is written. */
  async function expectSameAnswer(pair: Pair, line: string, key?: string) {
    const before = await service.findSession(pair);
    const answer = await expectRequests([update, ...look], () => lineOf(pair, key));
    expect(answer).toBe(line);
    expect(await service.findSession(pair)).toEqual(before);
  }

  describe("the current pair", () => {
    test("rotates right after the login", async () => {
      const first = await service.logIn();
      const second = await service.rotate(first);
      expect(second.refreshToken).not.toBe(first.refreshToken);
      expect((await service.findSession(first))?.rotatedAt).toBe(clock.now);
    });

    test("R14 R15 is answered with the same pair inside the minimum interval, and rotates at its end", async () => {
      const { second, line } = await rotated();
      for (const seconds of [0, 1, 28]) {
        clock.advance(seconds);
        await expectSameAnswer(second, line);
      }
      clock.advance(1);
      const third = await expectRequests([update], () => service.rotate(second));
      expect(third.refreshToken).not.toBe(second.refreshToken);
      expect(third.claims.iat).toBe(clock.now);
    });

    test("of a keyed session too, with its key, another or none", async () => {
      const { second, line } = await rotated({ login: key, refresh: key });
      for (const presented of [key, otherKey, undefined]) await expectSameAnswer(second, line, presented);
      expect(log.events()).toEqual([]);
    });

    test("rotates every time when the minimum interval is 0", async () => {
      const as = service.createSandbox({ REFRESH_MIN_INTERVAL_SECONDS: "0", REFRESH_WINDOW_SECONDS: "0" });
      let pair = await service.logIn({ as });
      const tokens = new Set([pair.refreshToken]);
      for (let i = 0; i < 5; i++) {
        pair = await service.rotate(pair, { as });
        tokens.add(pair.refreshToken);
      }
      expect(tokens.size).toBe(6);
    });

    test("rotates again and again in a session that keeps its identity", async () => {
      const first = await service.logIn({ key });
      const { sessionId, createdAt, keyed } = (await service.findSession(first)) ?? {};
      let pair = first;
      for (let i = 0; i < 50; i++) {
        clock.advance(30);
        pair = await service.rotate(pair, { key });
      }
      expect(await service.findSession(first)).toMatchObject({ sessionId, createdAt, keyed });
      expect(pair.claims.auth_time).toBe(createdAt);
    });
  });

  describe("the predecessor in a session without keys", () => {
    test("R06 is answered with the winner's very bytes inside the window, and logged as unproven", async () => {
      const { first, line } = await rotated();
      for (const seconds of [0, 1, 8]) {
        clock.advance(seconds);
        log.clear();
        await expectSameAnswer(first, line);
        expect(log.events()).toEqual(["authn_token_repeat_unproven"]);
      }
    });

    test.each([10, 3_600, 86_399])(
      "R07 R08 R17 R19 is a replay from the window's edge on: %i s",
      async (seconds) => {
        const { first, second } = await rotated();
        clock.advance(seconds);
        await expectReplay(first, second);
      },
    );

    test("R43 is a replay at once when the window is 0", async () => {
      const as = service.createSandbox({ REFRESH_WINDOW_SECONDS: "0" });
      const { first, second } = await rotated();
      const call = () => service.refresh(first, { as });
      await expectRefusal(call, refusals.tokenExpired, [update, ...look, remove]);
      expectProblem(await service.refresh(second, { as }), refusals.tokenExpired);
    });

    test("is a proven repeat when its refresh had a key, however late", async () => {
      const { first, second, line } = await rotated({ refresh: key });
      clock.advance(11);
      await expectSameAnswer(first, line, key);
      clock.advance(3_600);
      expect((await service.rotate(first, { key })).refreshToken).toBe(second.refreshToken);
      expect(log.events()).toEqual([]);
    });

    test.each([
      ["without the key", undefined],
      ["with another key", otherKey],
    ])("is accepted %s inside the window only", async (_, presented) => {
      const { first, second, line } = await rotated({ refresh: key });
      await expectSameAnswer(first, line, presented);
      expect(log.events()).toEqual(["authn_token_repeat_unproven"]);
      clock.advance(10);
      await expectReplay(first, second, presented);
    });

    test("is not proven by a key when its refresh had none", async () => {
      const { first, second, line } = await rotated();
      await expectSameAnswer(first, line, key);
      clock.advance(10);
      await expectReplay(first, second, key);
    });

    test("T08 counts as fresh when the winner's clock was ahead", async () => {
      const first = await service.logIn();
      const winner = await clock.runAt(clock.now + 4, () => service.refresh(first));
      const line = expectCookie(winner);
      await expectSameAnswer(first, line);
      await expectSameAnswer(pairOf(winner), line);
    });
  });

  describe("the predecessor in a keyed session", () => {
    test("is answered with the winner's very bytes for its key, up to half the interval later", async () => {
      const { first, line } = await rotated({ login: key, refresh: key });
      for (const seconds of [0, 1, 14]) {
        clock.advance(seconds);
        await expectSameAnswer(first, line, key);
        await expectSameAnswer(first, line, `"${key}"`);
      }
      expect(log.events()).toEqual([]);
    });

    test.each([16, 3_600, 80_000])("is re-armed for its key %i s later", async (seconds) => {
      const { first, second } = await rotated({ login: key, refresh: key });
      const before = await service.findSession(first);
      clock.advance(seconds);
      const again = await expectRequests([update, ...look, update], () => service.rotate(first, { key }));
      expect(again.refreshToken).toBe(second.refreshToken);
      expect(again.claims).toEqual({ ...second.claims, iat: clock.now, exp: clock.now + 900 });
      const armed = { ...before, rotatedAt: clock.now, expiresAt: clock.now + 86_400 };
      expect(await service.findSession(first)).toEqual(armed);
      expect((await service.sandbox.movies({ cookies: again.cookies })).statusCode).toBe(200);
    });

    test("re-armed, does not let other tabs overtake it", async () => {
      const { first, second } = await rotated({ login: key, refresh: key });
      clock.advance(3_600);
      const line = await lineOf(first, key);
      for (const seconds of [0, 29]) {
        clock.advance(seconds);
        // Another tab holds the current pair, with the old access token or the new one.
        await expectSameAnswer(second, line, key);
      }
      clock.advance(1);
      const third = await service.rotate(second, { key });
      expect(third.refreshToken).not.toBe(second.refreshToken);
    });

    test("re-arms again and again, and each time all tabs get the same pair", async () => {
      const { first, second } = await rotated({ login: key, refresh: key });
      for (let i = 0; i < 3; i++) {
        clock.advance(16);
        const line = await lineOf(first, key);
        await expectSameAnswer(second, line, key);
        await expectSameAnswer(first, line, key);
      }
    });

    test.each([
      ["without its key", key, undefined],
      ["with another key", key, otherKey],
      ["with the key of the login only", undefined, key],
      ["without a key after a refresh without one", undefined, undefined],
    ])("is a replay %s, at once", async (_, refresh, presented) => {
      const { first, second } = await rotated({ login: key, refresh });
      await expectReplay(first, second, presented);
    });

    test("is not proven by the key of an earlier rotation", async () => {
      const { second } = await rotated({ login: key, refresh: key });
      clock.advance(30);
      const third = await service.rotate(second);
      expect((await service.findSession(third))?.rotationKeyHash).toBeUndefined();
      await expectReplay(second, third, key);
    });
  });

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
      const { first } = await rotated();
      clock.advance(10);
      await service.refresh(first);
      for (const other of others) expect((await service.refresh(other)).statusCode).toBe(200);
    });

    test("R46 ends the session at its next use when the deletion was not confirmed", async () => {
      const { first, second } = await rotated();
      clock.advance(10);
      wire.break(remove, fail, { times: 3 });
      const names = [update, ...look, remove, remove, remove];
      await expectRefusal(() => service.refresh(first), refusals.unavailable, names);
      expect(log.events()).toEqual([]);
      expect(await service.findSession(first)).toBeDefined();
      await expectReplay(first, second);
    });

    test("R10 of a session that has ended is refused and revives nothing", async () => {
      const { first, second } = await rotated();
      clock.advance(10);
      await service.refresh(first);
      for (let i = 0; i < 50; i++) {
        for (const pair of [first, second]) {
          const refused = await expectRequests([update, ...look], () => service.refresh(pair));
          expectProblem(refused, refusals.tokenExpired);
        }
      }
      await service.expectControlUnharmed();
      expect(await service.findSession(first)).toBeUndefined();
    });
  });

  describe("a session ends", () => {
    test("R34 T01 T12 when expiresAt is reached, and not a second earlier, for every pair of it", async () => {
      const { first, second } = await rotated({ login: key, refresh: key });
      await database.change("sessions", first.key, { expiresAt: clock.now + 1 });
      expect((await service.refresh(first, { key })).statusCode).toBe(200);
      for (const seconds of [1, 172_800, 691_200]) {
        clock.advance(seconds);
        for (const pair of [first, second]) {
          await expectRefusal(() => service.refresh(pair, { key }), refusals.tokenExpired, [update, ...look]);
        }
      }
      // The TTL of DynamoDB deletes it, hours or days later.
      expect(await service.findSession(first)).toBeDefined();
      expect(log.events()).toEqual([]);
    });

    test("a day after the last use, and each use starts the day anew", async () => {
      let pair = await service.logIn();
      for (let i = 0; i < 3; i++) {
        clock.advance(86_399);
        pair = await service.rotate(pair);
        expect((await service.findSession(pair))?.expiresAt).toBe(clock.now + 86_400);
      }
      clock.advance(86_400);
      await expectRefusal(() => service.refresh(pair), refusals.tokenExpired, [update, ...look]);
    });

    test("T02 when its item is gone", async () => {
      const pair = await service.logIn();
      await database.delete("sessions", pair.key);
      await expectRefusal(() => service.refresh(pair), refusals.tokenExpired, [update, ...look]);
      expect(await service.findSession(pair)).toBeUndefined();
    });

    test("S17 and a re-arming that meets the end revives nothing", async () => {
      const { first } = await rotated({ login: key, refresh: key });
      clock.advance(3_600);
      const call = () => service.refresh(first, { key });
      wire.break(update, (request) => request.deliver());
      wire.break(
        update,
        precededBy(() => database.delete("sessions", first.key)),
      );
      await expectRefusal(call, refusals.tokenExpired, [update, ...look, update, ...look]);
      expect(await service.findSession(first)).toBeUndefined();
    });
  });

  test("a re-arming that another one overtook answers with the same pair", async () => {
    const { first } = await rotated({ login: key, refresh: key });
    clock.advance(3_600);
    let line = "";
    wire.break(update, (request) => request.deliver());
    wire.break(
      update,
      precededBy(async () => {
        line = await lineOf(first, key);
      }),
    );
    expect(await lineOf(first, key)).toBe(line);
  });

  test("a session that moves under every look is not judged: 503", async () => {
    const { first } = await rotated({ login: key, refresh: key });
    const { rotatedAt } = (await service.findSession(first)) ?? {};
    clock.advance(3_600);
    let moves = 0;
    wire.break(update, (request) => request.deliver());
    wire.break(
      update,
      precededBy(() => database.change("sessions", first.key, { rotatedAt: rotatedAt + ++moves })),
      { times: 4 },
    );
    const refused = [update, ...look];
    const names = [1, 2, 3, 4, 5].flatMap(() => refused);
    await expectRequests(names, async () => {
      expectProblem(await service.refresh(first, { key }), refusals.unavailable);
    });
    expect((await service.refresh(first, { key })).statusCode).toBe(200);
  });
});

const { expectRequests, expectRefusal, logIn, rotate, createSandbox } = service;

describe("the lifetimes of a session", () => {
  test("Max-Age is what is left of the session when the pair was issued", async () => {
    const maxAge = (line: string) => Number(/; Max-Age=(\d+)$/.exec(line)?.[1]);
    const as = createSandbox({ REFRESH_TOKEN_TTL_SECONDS: "3600", SESSION_MAX_AGE_SECONDS: "5000" });
    const { email, password } = await service.register();
    const opened = await as.login({ body: { email, password } });
    expect(maxAge(expectCookie(opened))).toBe(3_600);
    clock.advance(3_000);
    const answer = await service.refresh(pairOf(opened), { as });
    expect(maxAge(expectCookie(answer))).toBe(2_000);
    clock.advance(5);
    expect(expectCookie(await service.refresh(pairOf(answer), { as }))).toBe(expectCookie(answer));
    expect(expectCookie(await service.refresh(pairOf(opened), { as }))).toBe(expectCookie(answer));
  });

  test("R35 SESSION_MAX_AGE_SECONDS ends a session however active, without a request", async () => {
    const as = createSandbox({ SESSION_MAX_AGE_SECONDS: "100" });
    const first = await logIn({ as });
    clock.advance(99);
    const answer = await service.refresh(first, { as });
    expect(expectCookie(answer)).toContain("; Max-Age=1");
    const second = pairOf(answer);
    expect(second.claims.exp).toBe(first.claims.auth_time + 100);
    expect((await service.findSession(second))?.expiresAt).toBe(first.claims.auth_time + 100);
    clock.advance(1);
    for (const pair of [first, second]) {
      await expectRefusal(() => service.refresh(pair, { as }), refusals.tokenExpired);
    }
  });

  test("a lowered SESSION_MAX_AGE_SECONDS holds for sessions that are already open", async () => {
    const pair = await logIn();
    clock.advance(100);
    const as = createSandbox({ SESSION_MAX_AGE_SECONDS: "100" });
    await expectRefusal(() => service.refresh(pair, { as }), refusals.tokenExpired);
  });

  test("a re-arming does not take a session beyond SESSION_MAX_AGE_SECONDS", async () => {
    const as = createSandbox({ SESSION_MAX_AGE_SECONDS: "1000" });
    const first = await logIn({ as, key });
    await rotate(first, { as, key });
    clock.advance(900);
    const again = await rotate(first, { as, key });
    expect(again.claims.exp).toBe(first.claims.auth_time + 1_000);
    expect((await service.findSession(again))?.expiresAt).toBe(first.claims.auth_time + 1_000);
  });

  test("K11 SESSIONS_NOT_BEFORE ends older sessions without a request, and no newer ones", async () => {
    const pair = await logIn();
    const as = (time: number) => createSandbox({ SESSIONS_NOT_BEFORE: String(time) });
    clock.advance(60);
    const fresh = await logIn();
    const after = as(pair.claims.auth_time + 1);
    await expectRefusal(() => service.refresh(pair, { as: after }), refusals.tokenExpired);
    await rotate(fresh, { as: after });
    await rotate(pair, { as: as(pair.claims.auth_time) });
  });

  test("lowering ACCESS_TOKEN_TTL_SECONDS keeps sessions, and raising it too", async () => {
    const lowered = createSandbox({ ACCESS_TOKEN_TTL_SECONDS: "60" });
    const first = await logIn();
    clock.advance(50);
    const second = await rotate(first, { as: lowered });
    expect(second.claims.exp).toBe(clock.now + 60);
    clock.advance(30);
    expect((await rotate(second)).claims.exp).toBe(clock.now + 900);
    const long = createSandbox({ ACCESS_TOKEN_TTL_SECONDS: "86400" });
    const day = await logIn({ as: long });
    expect(day.claims.exp - day.claims.iat).toBe(86_400);
    await rotate(day, { as: lowered });
  });

  test("T07 a sandbox whose clock is 5 s behind takes a fresh pair, and one further behind does not", async () => {
    const pair = await logIn();
    const behind = (seconds: number) => clock.runAt(clock.now - seconds, () => service.refresh(pair));
    expectProblem(await behind(6), refusals.invalidJwt);
    expectCookie(await behind(5));
  });
});

describe("signing keys", () => {
  const old = createKey("EdDSA");
  const kidOf = ({ token }: Pair) =>
    JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()).kid;
  test("K01 K10 are chosen by when the pair was issued, so that sandboxes around the switch answer the same", async () => {
    const switchAt = clock.now + 2;
    const next = createKey("EdDSA", { activeFrom: switchAt });
    const settings = keySettings(next, old);
    const [early, late] = [createSandbox(settings), createSandbox(settings)];
    const first = await logIn({ as: early });
    expect(kidOf(first)).toBe(old.kid);
    const answer = await service.refresh(first, { as: early });
    const line = expectCookie(answer);
    // The other sandbox repeats the answer when the next key is already active.
    const at = switchAt + 3;
    const repeated = await clock.runAt(at, () => service.refresh(first, { as: late }));
    expect(expectCookie(repeated)).toBe(line);
    expect(expectCookie(await clock.runAt(at, () => service.refresh(pairOf(answer), { as: late })))).toBe(
      line,
    );
    expect(kidOf(pairOf(answer))).toBe(old.kid);
    clock.advance(60);
    const third = await rotate(pairOf(answer), { as: early });
    expect(kidOf(third)).toBe(next.kid);
    for (const pair of [first, third]) {
      expect((await late.movies({ cookies: pair.cookies })).statusCode).toBe(200);
    }
  });

  test.each(["RS256", "ES256"] as const)("may be %s", async (alg) => {
    const [one, two] = [0, 0].map(() => keySettings(key256[alg])).map(createSandbox) as [Sandbox, Sandbox];
    const first = await logIn({ as: one });
    const [a, b] = await Promise.all([rotate(first, { as: one }), rotate(first, { as: two })]);
    expect(a.refreshToken).toBe(b.refreshToken);
    expect(a.claims).toEqual(b.claims);
    // ECDSA signs with a random number; RSA with PKCS #1 v1.5 padding does not.
    if (alg === "RS256") expect(a.token).toBe(b.token);
    for (const pair of [first, a, b]) {
      expect((await two.movies({ cookies: pair.cookies })).statusCode).toBe(200);
    }
    expect((await service.sandbox.movies({ cookies: a.cookies })).statusCode).toBe(401);
  });

  const key256 = { RS256: createKey("RS256"), ES256: createKey("ES256") };

  test("K02 that are no longer published end the sessions they signed", async () => {
    const pair = await logIn({ as: createSandbox(keySettings(old)) });
    await expectRefusal(() => service.refresh(pair), refusals.invalidJwt);
    await expectRefusal(() => service.sandbox.movies({ cookies: pair.cookies }), refusals.invalidToken);
    const both = createSandbox({
      ...keySettings(signingKey, old),
      JWT_SIGNING_KEYS: JSON.stringify({ keys: [signingKey] }),
    });
    expect(kidOf(await rotate(pair, { as: both }))).toBe(signingKey.kid);
  });
});

test("a security event is one JSON line with nothing of the request in it", async () => {
  const first = await logIn();
  await rotate(first);
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

test("a thief and a victim with a keyed session never both go on", async () => {
  const stolen = await logIn({ key });
  // The thief is first, without the key or with one of their own.
  const thief = await rotate(stolen, { key: otherKey });
  await expectRequests(["UpdateItem sessions", "DeleteItem sessions"], () =>
    service.refresh(stolen, { key }),
  );
  clock.advance(30);
  expectProblem(await service.refresh(thief, { key: otherKey }), refusals.tokenExpired);
});
