import { describe, expect, test } from "@jest/globals";
import { expectCookie, expectProblem, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { createKey, keySettings } from "../support/keys.ts";
import { log } from "../support/log.ts";
import { type Pair, pairOf } from "../support/pair.ts";
import { createRotations, key, update } from "../support/rotations.ts";
import { signingKey, startService } from "../support/service.ts";

const service = await startService();
const { sandbox, database, expectRefusal, logIn, rotate, createSandbox } = service;
const { rotated } = createRotations(service);
const movies = async ({ cookies }: Pair) => (await sandbox.movies({ cookies })).statusCode;

describe("a session ends", () => {
  test("R34 T01 T12 when expiresAt is reached, and not a second earlier, for every pair of it", async () => {
    const { first, second } = await rotated({ login: key, refresh: key });
    await database.change("sessions", first.key, { expiresAt: clock.now + 1 });
    expectCookie(await service.refresh(first, { key }));
    for (const seconds of [1, 172_800, 691_200]) {
      clock.advance(seconds);
      for (const pair of [first, second]) {
        await expectRefusal(() => service.refresh(pair, { key }), refusals.tokenExpired, [update]);
      }
    }
    // The TTL of DynamoDB deletes it, hours or days later.
    expect(await service.findSession(first)).toBeDefined();
    expect(log.events()).toEqual([]);
  });

  test("a day after the last use, and each use starts the day anew", async () => {
    let pair = await logIn();
    for (let i = 0; i < 3; i++) {
      clock.advance(86_399);
      pair = await rotate(pair);
      expect((await service.findSession(pair))?.expiresAt).toBe(clock.now + 86_400);
    }
    clock.advance(86_400);
    await expectRefusal(() => service.refresh(pair), refusals.tokenExpired, [update]);
  });

  test("S07 T02 when its item is gone", async () => {
    const pair = await logIn();
    await database.delete("sessions", pair.key);
    await expectRefusal(() => service.refresh(pair), refusals.tokenExpired, [update]);
    expect(await service.findSession(pair)).toBeUndefined();
  });

  test("R35 at SESSION_MAX_AGE_SECONDS, however active, without a request", async () => {
    const as = createSandbox({ SESSION_MAX_AGE_SECONDS: "100" });
    const first = await logIn({ as });
    const open = await logIn();
    clock.advance(99);
    const answer = await service.refresh(first, { as });
    expect(expectCookie(answer)).toContain("; Max-Age=1");
    const second = pairOf(answer);
    expect(second.claims.exp).toBe(first.claims.auth_time + 100);
    expect((await service.findSession(second))?.expiresAt).toBe(first.claims.auth_time + 100);
    clock.advance(1);
    // Lowered, it holds for a session that was open before, too.
    for (const pair of [first, second, open])
      await expectRefusal(() => service.refresh(pair, { as }), refusals.tokenExpired);
  });

  test("at SESSION_MAX_AGE_SECONDS although it is re-armed", async () => {
    const as = createSandbox({ SESSION_MAX_AGE_SECONDS: "1000" });
    const first = await logIn({ as, key });
    await rotate(first, { as, key });
    clock.advance(900);
    const again = await rotate(first, { as, key });
    expect(again.claims.exp).toBe(first.claims.auth_time + 1_000);
    expect((await service.findSession(again))?.expiresAt).toBe(first.claims.auth_time + 1_000);
  });

  test("K11 by SESSIONS_NOT_BEFORE without a request if it is older, and does not if it is newer", async () => {
    const pair = await logIn();
    const as = (time: number) => createSandbox({ SESSIONS_NOT_BEFORE: String(time) });
    clock.advance(60);
    const fresh = await logIn();
    const after = as(pair.claims.auth_time + 1);
    await expectRefusal(() => service.refresh(pair, { as: after }), refusals.tokenExpired);
    await rotate(fresh, { as: after });
    await rotate(pair, { as: as(pair.claims.auth_time) });
  });
});

describe("the settings of a lifetime", () => {
  test("Max-Age is what is left of the session when the pair was issued", async () => {
    const maxAge = (line: string) => Number(/; Max-Age=(\d+)$/.exec(line)?.[1]);
    const as = createSandbox({ REFRESH_TOKEN_TTL_SECONDS: "3600", SESSION_MAX_AGE_SECONDS: "5000" });
    const { email, password } = await service.addAccount();
    const opened = await as.login({ body: { email, password } });
    expect(maxAge(expectCookie(opened))).toBe(3_600);
    clock.advance(3_000);
    const answer = await service.refresh(pairOf(opened), { as });
    expect(maxAge(expectCookie(answer))).toBe(2_000);
    clock.advance(5);
    for (const repeated of [answer, opened])
      expect(expectCookie(await service.refresh(pairOf(repeated), { as }))).toBe(expectCookie(answer));
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
});

describe("the clock of a sandbox", () => {
  test("T07 may be 5 s behind when a fresh pair comes, and not more; where the gateway's is right, another sandbox will do", async () => {
    const { cookies } = await logIn();
    const now = clock.now;
    const behind = (seconds: number, receivedAt?: number) =>
      clock.runAt(now - seconds, () =>
        sandbox.refresh({ cookies, ...(receivedAt !== undefined && { receivedAt }) }),
      );
    expectProblem(await behind(6, now), refusals.unavailable);
    expectProblem(await behind(3_600, now - 5), refusals.unavailable);
    // The issuer's clock was fast.
    expectProblem(await behind(6, now - 6), refusals.tokenExpired);
    expectProblem(await behind(6), refusals.tokenExpired);
    expectCookie(await behind(5));
  });

  test("T07 that is behind opens no protected route, and does not say that the credentials are bad", async () => {
    const { cookies } = await logIn();
    const now = clock.now;
    const behind = (seconds: number, receivedAt?: number) =>
      clock.runAt(now - seconds, () =>
        sandbox.movies({ cookies, ...(receivedAt !== undefined && { receivedAt }) }),
      );
    expectProblem(await behind(6, now), refusals.unavailable);
    expectProblem(await behind(6, now - 6), refusals.invalidToken);
    expectProblem(await behind(6), refusals.invalidToken);
    expect((await behind(5)).statusCode).toBe(200);
  });

  test.each([
    ["it alone", 0],
    ["and that of the gateway", 60],
  ])("T07 that is behind keeps nobody from logging out: %s", async (_, seconds) => {
    const pair = await logIn();
    const receivedAt = clock.now - seconds;
    await clock.runAt(clock.now - 60, () => sandbox.logout({ cookies: pair.cookies, receivedAt }));
    expect(await service.findSession(pair)).toBeUndefined();
  });

  test("T09 that is an hour ahead harms nobody else", async () => {
    const [bystander, own] = [await logIn(), await logIn()];
    const ahead = await clock.runAt(clock.now + 3_600, () => rotate(own));
    expect(await movies(ahead)).toBe(401);
    expectProblem(await service.refresh(ahead), refusals.tokenExpired);
    await rotate(bystander);
    expect(await movies(bystander)).toBe(200);
    // It is not over, either: later it is as good as any.
    clock.advance(3_600);
    expect(await movies(ahead)).toBe(200);
    clock.advance(30);
    await rotate(ahead);
  });

  test.each([
    ["the last second of 2026 in UTC", 1_798_761_599],
    ["a change to summer time", 1_806_195_600],
    ["the last second of 32 bits with a sign", 2_147_483_647],
    ["the last second of 32 bits", 4_294_967_295],
  ])("T11 may show %s, a second like any other", async (_, at) => {
    const account = await service.addAccount();
    await clock.runAt(at, async () => {
      const first = await logIn({ account });
      expect(first.claims).toMatchObject({ iat: at, exp: at + 900, auth_time: at });
      expect(await movies(first)).toBe(200);
      await clock.runAt(at + 60, async () => {
        const second = await rotate(first);
        expect((await service.findSession(second))?.expiresAt).toBe(at + 60 + 86_400);
        expect(await movies(second)).toBe(200);
      });
      await clock.runAt(at + 905, async () => expect(await movies(first)).toBe(401));
    });
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
