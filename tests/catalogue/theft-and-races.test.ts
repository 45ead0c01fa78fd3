import { createHmac } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { expectCookie, expectJson, expectNoContent, expectProblem, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { createEvent } from "../support/event.ts";
import { hold, loseAnswer } from "../support/faults.ts";
import { keepSecrets, log } from "../support/log.ts";
import { cookieOf, type Pair, pairOf } from "../support/pair.ts";
import { type Account, startService } from "../support/service.ts";

const service = await startService();
const { sandbox, database, wire, expectRefusal } = service;
const update = "UpdateItem sessions";
const remove = "DeleteItem sessions";
const movies = async ({ cookies }: Pair) => (await sandbox.movies({ cookies })).statusCode;

test("R03 a thousand rotations are one session that keeps its identity and its absolute end", async () => {
  const account = await service.register();
  const first = await service.logIn({ account });
  const seen = new Set([first.refreshToken]);
  let pair = first;
  for (let i = 0; i < 1_000; i++) {
    clock.advance(30);
    pair = await service.rotate(pair);
    seen.add(pair.refreshToken);
  }
  expect(seen.size).toBe(1_001);
  const { sid, sub, auth_time } = first.claims;
  expect(pair.claims).toMatchObject({ sid, sub, auth_time });
  const stored = await database.sessionsOf(account.userId);
  expect(stored).toEqual([
    expect.objectContaining({ createdAt: auth_time, rotatedAt: clock.now, expiresAt: clock.now + 86_400 }),
  ]);
  // The absolute end counts from the login, however often the session was renewed.
  const ends = service.createSandbox({ SESSION_MAX_AGE_SECONDS: "30000" });
  expectProblem(await service.refresh(pair, { as: ends }), refusals.tokenExpired);
});

test("R05 50 sandboxes refresh one pair at once: one rotation, 50 times one cookie", async () => {
  const sandboxes = Array.from({ length: 50 }, () => service.createSandbox());
  // Each has sent a request before: fifty first ones at once would run into their time-outs.
  const other = await service.rotate(await service.logIn());
  for (const as of sandboxes) await service.rotate(other, { as });
  const first = await service.logIn();
  wire.forget();
  const answers = await Promise.all(sandboxes.map((as) => service.refresh(first, { as })));
  expect(new Set(answers.map(expectCookie)).size).toBe(1);
  expect(wire.appliedWrites).toEqual([update]);
}, 60_000);

test("R13 a lost answer that an unkeyed client asks for again after a minute ends the session", async () => {
  const first = await service.logIn();
  wire.break(update, loseAnswer, { times: 3 });
  expectProblem(await service.refresh(first), refusals.unavailable);
  clock.advance(60);
  await expectRefusal(() => service.refresh(first), refusals.tokenExpired, [update, remove]);
  expect(log.events()).toEqual(["authn_token_reuse"]);
});

test("R16 a slow tab with the predecessor, and one with the successor, end with the same pair", async () => {
  const first = await service.logIn();
  const line = expectCookie(await service.refresh(first));
  const second = pairOf(await service.refresh(first));
  expect(expectCookie(await service.refresh(second))).toBe(line);
  clock.advance(3);
  expect(expectCookie(await service.refresh(first))).toBe(line);
  clock.advance(27);
  await service.rotate(second);
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
  await expectRefusal(() => service.refresh(victim), refusals.tokenExpired, [update, remove]);
  await expectRefusal(() => service.refresh(ahead), refusals.tokenExpired, [update]);
});

describe.each([
  [
    "R23 log out everywhere",
    async ({ cookies }: Pair) => expectNoContent(await sandbox.revokeAllSessions({ cookies })),
  ],
  [
    "R24 a password change",
    async ({ cookies }: Pair, { password }: Account) => {
      const body = { currentPassword: password, newPassword: `${password} and more` };
      keepSecrets(body.newPassword);
      expectJson(await sandbox.changePassword({ cookies, body }), 200, { msg: "success" });
    },
  ],
])("%s", (_, end) => {
  test.each(["request", "answer"] as const)("beats a refresh whose %s is under way", async (what) => {
    const account = await service.register();
    const [own, other] = [await service.logIn({ account }), await service.logIn({ account })];
    const held = hold(what);
    wire.break(update, held.fault);
    const refreshing = service.refresh(other);
    await held.arrived;
    await end(own, account);
    await held.release();
    const answer = await refreshing;
    if (what === "request") expectProblem(answer, refusals.tokenExpired);
    const successors = what === "answer" ? [pairOf(answer)] : [];
    for (const pair of [other, ...successors])
      await expectRefusal(() => service.refresh(pair), refusals.tokenExpired, [update]);
    expect(await service.findSession(other)).toBeUndefined();
  });
});

test("R36 a pair that is newer than a restored table ends its session, and says so", async () => {
  const first = await service.logIn();
  const second = await service.rotate(first);
  const backup = (await service.findSession(first)) ?? {};
  clock.advance(30);
  const third = await service.rotate(second);
  await database.put("sessions", backup);
  clock.advance(30);
  await expectRefusal(() => service.refresh(third), refusals.tokenExpired, [update, remove]);
  expect(log.events()).toEqual(["authn_token_reuse"]);
  expect(await service.findSession(first)).toBeUndefined();
});

test("R48 nothing that the table holds, or that can be made of it, is a refresh token", async () => {
  const pair = await service.rotate(await service.logIn());
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
  clock.advance(30);
  await service.rotate(pair);
});

test("E06 one event that Lambda delivers twice is one rotation and twice one cookie", async () => {
  const { cookies } = await service.logIn();
  const event = createEvent("refresh", { cookies });
  wire.forget();
  const lines = [];
  for (let i = 0; i < 2; i++) lines.push(expectCookie(await sandbox.invoke("refresh", event)));
  expect(lines[0]).toBe(lines[1]);
  expect(wire.appliedWrites).toEqual([update]);
});

test("T09 a sandbox whose clock is an hour ahead harms nobody else", async () => {
  const [bystander, own] = [await service.logIn(), await service.logIn()];
  const ahead = await clock.runAt(clock.now + 3_600, () => service.rotate(own));
  expect(await movies(ahead)).toBe(401);
  expectProblem(await service.refresh(ahead), refusals.invalidJwt);
  await service.rotate(bystander);
  expect(await movies(bystander)).toBe(200);
  // It is not over, either: later it is as good as any.
  clock.advance(3_600);
  expect(await movies(ahead)).toBe(200);
  clock.advance(30);
  await service.rotate(ahead);
});

test.each([
  ["the last second of 2026 in UTC", 1_798_761_599],
  ["a change to summer time", 1_806_195_600],
  ["the last second of 32 bits with a sign", 2_147_483_647],
  ["the last second of 32 bits", 4_294_967_295],
])("T11 %s is a second like any other", async (_, at) => {
  const account = await service.register();
  await clock.runAt(at, async () => {
    const first = await service.logIn({ account });
    expect(first.claims).toMatchObject({ iat: at, exp: at + 900, auth_time: at });
    expect(await movies(first)).toBe(200);
    await clock.runAt(at + 60, async () => {
      const second = await service.rotate(first);
      expect((await service.findSession(second))?.expiresAt).toBe(at + 60 + 86_400);
      expect(await movies(second)).toBe(200);
    });
    await clock.runAt(at + 905, async () => expect(await movies(first)).toBe(401));
  });
});
