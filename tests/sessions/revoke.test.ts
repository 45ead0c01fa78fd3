import { randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import type { ApiResponse } from "../../lib/http/response.ts";
import { createRefreshToken } from "../../lib/tokens/refresh-token.ts";
import { bodyOf, expectJson, expectNoContent, expectProblem, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import type { Item } from "../support/database.ts";
import { fail, gather, hold, loseAnswer, loseRequest, precededBy, throttle } from "../support/faults.ts";
import { raceLogin } from "../support/interleave.ts";
import { type Pair, pairOf } from "../support/pair.ts";
import { remove } from "../support/rotations.ts";
import { type Step, startService } from "../support/service.ts";
import { storeSessions } from "../support/stored.ts";

const service = await startService();
const { sandbox, database, wire, expectRequests, expectRefusal, expectOver } = service;
const live = "GetItem sessions";
const raise = "UpdateItem users";
const raiseAndCarry = "TransactWriteItems users sessions";
const query = "Query sessions";
const batch = "BatchWriteItem sessions";
const note = "UpdateItem users";

const end = ({ cookies }: Pair, sessionId: string) =>
  sandbox.revokeSession({ cookies, pathParameters: { sessionId } });
const endAll = ({ cookies }: Pair) => sandbox.revokeAllSessions({ cookies });
const endOthers = ({ cookies }: Pair, as = sandbox) =>
  as.revokeAllSessions({ cookies, query: { except: "current" } });

describe("DELETE /auth/sessions/{sessionId}", () => {
  test("ends that session and no other, with 2 requests", async () => {
    const { pairs } = await service.open(3);
    const [a, b, c] = pairs;
    expectNoContent(await expectRequests([live, remove], () => end(a, b.key.sessionId)));
    await expectOver([b]);
    expectNoContent(await end(a, a.key.sessionId));
    await expectOver([a]);
    await service.rotate(c);
  });

  test("R30 is a 404 for somebody else's session, none, an ended one and one that is over: all the same bytes", async () => {
    const [caller, stranger] = [await service.logIn(), (await service.open(1)).pairs[0]];
    const [over] = await storeSessions(database, caller.key.userId, 1, { expiresAt: clock.now });
    const ended = (await service.logIn()).key.sessionId;
    expectNoContent(await end(caller, ended));
    for (const sessionId of [stranger.key.sessionId, randomUUID(), ended, over?.sessionId])
      await expectRefusal(() => end(caller, sessionId), refusals.noSuchSession, [live, remove]);
    await service.rotate(stranger);
  });

  test("K11 is a 404 for a session that SESSIONS_NOT_BEFORE has ended", async () => {
    const { account, pairs } = await service.open(1);
    const [older] = await storeSessions(database, account.userId, 1, { createdAt: clock.now - 2 });
    const as = service.createSandbox({ SESSIONS_NOT_BEFORE: String(clock.now) });
    const pathParameters = { sessionId: String(older?.sessionId) };
    const call = () => as.revokeSession({ cookies: pairs[0].cookies, pathParameters });
    await expectRefusal(call, refusals.noSuchSession, [live, remove]);
  });

  // What can be an id is a table of lib/sessions/store.test.ts.
  test.each(["", "a b", "x".repeat(65)])("is a 404 for %j, which is not looked for", async (sessionId) => {
    const caller = await service.logIn();
    await expectRefusal(() => end(caller, sessionId), refusals.noSuchSession, [live]);
  });
});

describe("DELETE /auth/sessions", () => {
  test("R23 ends every session of the user and nobody else's", async () => {
    const { account, pairs } = await service.open(3);
    const other = await service.logIn();
    expectNoContent(await expectRequests([live, raise, query, batch, batch, note], () => endAll(pairs[1])));
    await expectOver(pairs);
    const user = await database.find("users", { userId: account.userId });
    expect(user).toMatchObject({
      ...{ sessionEpoch: 1, sweptEpoch: 1 },
      lastChange: { event: "authn_token_revoked", by: "user", at: clock.now, ip: "192.0.2.7" },
    });
    await service.rotate(other);
    await service.rotate(await service.logIn({ account }));
  });

  test("keeps this one with ?except=current", async () => {
    const { account, pairs } = await service.open(3);
    const [a, b, c] = pairs;
    const done = await expectRequests([live, raiseAndCarry, query, batch, note], () => endOthers(b));
    expect([done.statusCode, done.body]).toEqual([204, undefined]);
    await expectOver([a, c]);
    // Nobody else is there to be ended.
    expect((await expectRequests([live, raiseAndCarry, query, note], () => endOthers(b))).statusCode).toBe(
      204,
    );
    await service.rotate(b);
    // Kept once is not kept for ever.
    const d = await service.logIn({ account });
    expect((await endOthers(d)).statusCode).toBe(204);
    await expectOver([b]);
    await service.rotate(d);
  });

  test.each([
    ["once", 1],
    ["twice", 2],
  ])("S14 raises the epoch once although the answer was lost %s", async (_, times) => {
    const { account, pairs } = await service.open(2);
    const [a, b] = pairs;
    wire.break(raiseAndCarry, loseAnswer, { times });
    expect((await endOthers(b)).statusCode).toBe(204);
    await expectOver([a]);
    await service.rotate(b);
    const user = await database.find("users", { userId: account.userId });
    expect(user).toMatchObject({ sessionEpoch: 1, sweptEpoch: 1 });
    await service.rotate(await service.logIn({ account }));
  });

  test("that broke off after the raise is finished by the next login", async () => {
    const { account, pairs } = await service.open(2);
    wire.break(query, loseRequest, { times: 3 });
    expectProblem(await endAll(pairs[0]), refusals.unavailable);
    const next = await service.logIn({ account });
    await expectOver(pairs);
    await service.rotate(next);
  });

  test("by a session that an earlier end of all was to end, and broke off, finishes that: keeping itself it is a 401", async () => {
    const { account, pairs } = await service.open(3);
    const [a, b, c] = pairs;
    wire.break(query, loseRequest, { times: 3 });
    expectProblem(await endOthers(a), refusals.unavailable);
    expectProblem(await endOthers(b), refusals.invalidToken);
    await expectOver([b, c]);
    // The one that the earlier end carried can go on with it.
    expect((await endOthers(a)).statusCode).toBe(204);
    await service.rotate(a);
    await service.rotate(await service.logIn({ account }));
  });

  test("ends 2,000 sessions in batches of 25, in one call", async () => {
    const { account, pairs } = await service.open(1);
    await storeSessions(database, account.userId, 1_999);
    wire.forget();
    expectNoContent(await endAll(pairs[0]));
    expect(wire.names.filter((name) => name === batch)).toHaveLength(81);
    expect(wire.names.filter((name) => name !== batch && name !== query)).toEqual([live, raise, note]);
    expect(await database.sessionsOf(account.userId)).toEqual([]);
  });

  /** DynamoDB deletes the first of a batch and leaves the others. */
  const leaveMost = async (request: Parameters<typeof fail>[0]) => {
    const [[table, requests]] = Object.entries(request.parameters.RequestItems) as [[string, Item[]]];
    const [first, ...left] = requests;
    await request.deliver({ RequestItems: { [table]: [first] } });
    return { status: 200, body: JSON.stringify({ UnprocessedItems: { [table]: left } }) };
  };

  test.each([
    ["the raise fails", raise, throttle, 3, 8],
    ["the query fails", query, fail, 3, 8],
    ["the batches fail", batch, throttle, 3, 8],
    ["DynamoDB leaves some of a batch undone five times", batch, leaveMost, 5, 3],
  ])("is a 503 when %s, and a repeat ends all", async (_, name, fault, times, left) => {
    const { account, pairs } = await service.open(8);
    wire.break(name, fault, { times });
    expectProblem(await endAll(pairs[0]), refusals.unavailable);
    expect(await database.sessionsOf(account.userId)).toHaveLength(left);
    // Where the epoch was raised this session is over, too, and can promise nothing for others.
    const again = await endAll(pairs[0]);
    expect(again.statusCode).toBe(name === raise ? 204 : 401);
    await expectOver(pairs);
  });

  test("of an account that is gone ends its sessions and touches nothing of the address's new owner", async () => {
    const { account, pairs } = await service.open(2);
    const { email, password, userId } = account;
    await database.delete("users", { userId });
    await sandbox.register({ body: { email, password } });
    const owner = pairOf(await sandbox.login({ body: { email, password } }));
    const key = { userId: owner.claims.sub };
    const before = await database.find("users", key);
    expectNoContent(await endAll(pairs[0]));
    await expectOver(pairs);
    expect(await database.find("users", key)).toEqual(before);
    await service.rotate(owner);
  });

  test.each(["", "all", "Current", "current,current", "__proto__"])("refuses ?except=%s", async (except) => {
    const { cookies } = await service.logIn();
    const refusal = { status: 400, code: "invalid_query", detail: "except can only be current." };
    await expectRefusal(() => sandbox.revokeAllSessions({ cookies, query: { except } }), refusal, [live]);
  });

  test("O44 keeping this one needs a login of the last 300 s, and the Session-Key of the session", async () => {
    const sessionKey = createRefreshToken();
    const own = await service.logIn({ account: await service.addAccount(), sessionKey });
    await expectRefusal(() => endOthers(own), refusals.sessionKeyRequired, [live]);
    clock.advance(300);
    const headers = { "session-key": sessionKey };
    const query = { except: "current" };
    expect((await sandbox.revokeAllSessions({ cookies: own.cookies, query, headers })).statusCode).toBe(204);
    clock.advance(1);
    await expectRefusal(() => endOthers(own), refusals.notFresh, [live]);
    // To end all, this one included, no copy of it is needed.
    expectNoContent(await endAll(own));
  });

  test("keeping this one has the browser recognised in the raised epoch, too", async () => {
    const { pairs } = await service.open(1);
    const { cookies = [] } = await endOthers(pairs[0]);
    expect(cookies).toHaveLength(1);
    expect(cookies[0]).toMatch(new RegExp(`^auth-cookie-device=${pairs[0].key.sessionId}\\.1\\.`));
  });

  test("keeping this one is a 401 for one that is ended meanwhile, and nothing else is", async () => {
    const { pairs } = await service.open(2);
    wire.break(
      raiseAndCarry,
      precededBy(() => database.delete("sessions", pairs[1].key)),
    );
    expectProblem(await endOthers(pairs[1]), refusals.invalidToken);
    await service.rotate(pairs[0]);
  });

  test("keeping this one is done by a second click, too, whichever comes first", async () => {
    const { pairs } = await service.open(2);
    const held = hold("request");
    wire.break(raiseAndCarry, held.fault);
    const first = endOthers(pairs[1]);
    await held.arrived;
    const second = await endOthers(pairs[1]);
    await held.release();
    for (const { statusCode, cookies = [] } of [await first, second]) {
      expect(statusCode).toBe(204);
      expect(cookies[0]).toMatch(new RegExp(`^auth-cookie-device=${pairs[1].key.sessionId}\\.1\\.`));
    }
    clock.advance(60);
    await service.rotate(pairs[1]);
    await expectOver([pairs[0]]);
  });

  test("of two sessions that keep themselves at once one does, and the other is a 401", async () => {
    const { pairs } = await service.open(2);
    wire.break(raiseAndCarry, gather(2), { times: 2 });
    const ends = await Promise.all(pairs.map((pair) => endOthers(pair)));
    expect(ends.map(({ statusCode }) => statusCode).toSorted()).toEqual([204, 401]);
    const [kept, over] = ends[0]?.statusCode === 204 ? pairs : [pairs[1], pairs[0]];
    clock.advance(60);
    await service.rotate(kept);
    await expectOver([over]);
  });

  test("a bearer client that keeps its session is told by what it is recognised from now on", async () => {
    const { account } = await service.open(1);
    const { email, password } = account;
    const headers = { "auth-mode": "bearer" };
    const { token } = bodyOf(await sandbox.login({ headers, body: { email, password } }));
    const authorization = { authorization: `Bearer ${token}` };
    const done = await sandbox.revokeAllSessions({ headers: authorization, query: { except: "current" } });
    const { device } = bodyOf(done);
    expectJson(done, 200, { msg: "success", device: expect.stringMatching(/^[\w-]+\.1\.\d+\.[\w-]{22}$/) });
    const guess = { email, password: "not the right password" };
    for (let i = 0; i < 6; i++) await sandbox.login({ body: guess });
    const next = await sandbox.login({ headers, body: { email, password, device } });
    expect(next.statusCode).toBe(200);
  });

  test.each([
    ["all", {}, raise],
    ["all other", { except: "current" }, raiseAndCarry],
  ])("of %s sessions that is delivered again late ends none that was opened since", async (...row) => {
    const [, query, name] = row;
    const { account, pairs } = await service.open(2);
    const [ended, { cookies }] = pairs;
    const held = hold("request");
    wire.break(name, held.fault);
    expect((await service.impatient.revokeAllSessions({ cookies, query })).statusCode).toBe(204);
    const opened = await service.logIn({ account });
    await held.release();
    // This login would finish what it takes for an unfinished end of all sessions.
    await service.logIn({ account });
    clock.advance(60);
    await service.rotate(opened);
    await expectOver([ended]);
  });
});

describe("a session of an earlier epoch, whose sweep has broken off", () => {
  /** The last session ended all others, and its sweep broke off: the first two are over and still in the table. */
  async function openOver() {
    const { pairs } = await service.open(3);
    const [thief, other, own] = pairs;
    wire.break(query, loseRequest, { times: 3 });
    expectProblem(await endOthers(own), refusals.unavailable);
    return { thief, other, own };
  }

  test.each<[string, (thief: Pair, own: Pair) => Promise<ApiResponse>, Step[]]>([
    [
      "ends no session that was opened or carried since",
      (thief, own) => end(thief, own.key.sessionId),
      [live, remove],
    ],
    ["lists none", ({ cookies }) => sandbox.listSessions({ cookies }), [[live, query]]],
    ["does not end all, and says so", endAll, [live, raise, "GetItem users", query, batch, batch, note]],
    [
      "nor all others",
      (thief) => endOthers(thief),
      [live, raiseAndCarry, live, "GetItem users", query, batch, batch, note],
    ],
  ])("%s: 401", async (_, act, steps) => {
    const { thief, own } = await openOver();
    await expectRefusal(() => act(thief, own), refusals.invalidToken, steps);
    clock.advance(60);
    await service.rotate(own);
  });

  test("ends one of its own kind", async () => {
    const { thief, other } = await openOver();
    expectNoContent(await end(thief, other.key.sessionId));
  });
});

test("a login that races the end of all sessions never survives it, in whatever order their requests arrive", async () => {
  const { account, pairs } = await service.open(2);
  const [old, own] = pairs;
  await raceLogin(service, {
    account,
    act: (as) => endOthers(own, as),
    check: async ({ login, other }) => {
      expect([login.statusCode, other.statusCode]).toEqual([200, 204]);
      const user = await database.find("users", { userId: account.userId });
      const left = await database.sessionsOf(account.userId);
      const isLeft = ({ key }: Pair) => left.some(({ sessionId }) => sessionId === key.sessionId);
      const isStale = ({ sessionEpoch }: Item) => sessionEpoch < user?.sessionEpoch;
      expect(left.filter(isStale)).toEqual([]);
      expect(user?.sweptEpoch).toBe(user?.sessionEpoch);
      expect([isLeft(old), isLeft(own)]).toEqual([false, true]);
      const pair = pairOf(login);
      expect((await service.refresh(pair)).statusCode).toBe(isLeft(pair) ? 200 : 400);
    },
  });
});

// A4: a JWT outlives its session by up to its life.
test.each([
  [
    "list the sessions",
    (cookies: string[]) => sandbox.listSessions({ cookies }),
    [["GetItem sessions", "Query sessions"]],
  ],
  ["export the account", (cookies: string[]) => sandbox.exportAccount({ cookies }), [live]],
  ["end all sessions", (cookies: string[]) => sandbox.revokeAllSessions({ cookies }), [live]],
] as const)("the JWT of an ended session does not %s", async (_, call, steps) => {
  const { pairs } = await service.open(2);
  const [ended, { cookies }] = pairs;
  await sandbox.logout({ cookies: ended.cookies });
  expect((await sandbox.me({ cookies: ended.cookies })).statusCode).toBe(200);
  await expectRefusal(() => call(ended.cookies), refusals.invalidToken, steps as unknown as Step[]);
  await expectRefusal(() => end(ended, pairs[1].key.sessionId), refusals.invalidToken, [live]);
  expect((await sandbox.refresh({ cookies })).statusCode).toBe(200);
});
