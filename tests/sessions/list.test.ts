import { expect, test } from "@jest/globals";
import { bodyOf, expectJson } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import type { Item } from "../support/database.ts";
import type { Pair } from "../support/pair.ts";
import { startService } from "../support/service.ts";
import { storeSessions } from "../support/stored.ts";

const service = await startService();
const { sandbox, database, wire, expectRequests, expectRefusal } = service;
const query = "Query sessions";

test("the caller's live sessions by their ids, and nothing that could be used, with 2 requests beside one another", async () => {
  const { pairs } = await service.open(3);
  const [first, second, third] = pairs;
  clock.advance(60);
  await service.rotate(second);
  const response = await expectRequests([[query, "GetItem sessions"]], () =>
    sandbox.listSessions({ cookies: first.cookies }),
  );
  const summary = ({ key, claims }: Pair) => ({
    sessionId: key.sessionId,
    createdAt: claims.auth_time,
    renewedAt: null as number | null,
    expiresAt: claims.auth_time + 86_400,
    userAgent: "tests",
    ip: "192.0.2.7",
    isDeviceBound: false,
    current: false,
  });
  const sessions = [
    summary(third),
    { ...summary(second), renewedAt: clock.now, expiresAt: clock.now + 86_400 },
    { ...summary(first), current: true },
  ].toSorted((a, b) => (a.sessionId < b.sessionId ? -1 : 1));
  expectJson(response, 200, { sessions, nextCursor: null });
  expect(response.cookies).toBeUndefined();
  const { ConsistentRead, ProjectionExpression } =
    wire.requests.find(({ name }) => name === query)?.parameters ?? {};
  expect([ConsistentRead, /hash|salt/i.test(ProjectionExpression)]).toEqual([true, false]);
});

test("K11 without sessions that SESSIONS_NOT_BEFORE has ended", async () => {
  const { account, pairs } = await service.open(2);
  await storeSessions(database, account.userId, 1, { createdAt: clock.now - 2 });
  const as = service.createSandbox({ SESSIONS_NOT_BEFORE: String(clock.now) });
  const [, { cookies, key }] = pairs;
  for (const list of [as.listSessions, as.exportAccount])
    expect(bodyOf(await list({ cookies })).sessions).toMatchObject([{ sessionId: key.sessionId }]);
});

test("T06 without sessions that are over though DynamoDB has not deleted them", async () => {
  const { cookies, key } = await service.logIn();
  const before = bodyOf(await sandbox.listSessions({ cookies })).sessions;
  await storeSessions(database, key.userId, 2, { expiresAt: clock.now });
  const members = { expiresAt: clock.now + 1, userAgent: undefined };
  const [live] = await storeSessions(database, key.userId, 1, members);
  const { sessions } = bodyOf(await sandbox.listSessions({ cookies }));
  expect(sessions).toHaveLength(before.length + 1);
  expect(sessions).toContainEqual(
    expect.objectContaining({ sessionId: live?.sessionId, userAgent: null, ip: null }),
  );
});

test("in pages of 100, each session once, even when the page's last one is ended in between", async () => {
  const { account, pairs } = await service.open(1);
  const { userId } = account;
  const [{ cookies, key }] = pairs;
  const stored = await storeSessions(database, userId, 269);
  const seen: string[] = [];
  const pages: number[] = [];
  let query: Record<string, string> | undefined;
  do {
    const response = await sandbox.listSessions({ cookies, ...(query && { query }) });
    const { sessions, nextCursor } = bodyOf(response);
    seen.push(...sessions.map(({ sessionId }: Item) => sessionId));
    pages.push(sessions.length);
    const sessionId = seen.at(-1) ?? "";
    if (sessionId !== key.sessionId) await database.delete("sessions", { userId, sessionId });
    query = nextCursor === null ? undefined : { cursor: nextCursor };
  } while (query);
  expect(pages).toEqual([100, 100, 70]);
  expect(new Set(seen).size).toBe(270);
  expect(seen).toEqual(expect.arrayContaining(stored.map(({ sessionId }) => sessionId)));
});

test("a page may be empty though there are more: what is over counts in it", async () => {
  const { account, pairs } = await service.open(1);
  const [{ cookies, key }] = pairs;
  const id = (i: number) => `${"-".repeat(8)}${i}`;
  for (let i = 0; i < 100; i++)
    await storeSessions(database, account.userId, 1, { sessionId: id(100 + i), expiresAt: clock.now });
  const first = bodyOf(await sandbox.listSessions({ cookies }));
  expect(first).toEqual({ sessions: [], nextCursor: id(199) });
  const next = bodyOf(await sandbox.listSessions({ cookies, query: { cursor: first.nextCursor } }));
  expect(next).toEqual({
    sessions: [expect.objectContaining({ sessionId: key.sessionId })],
    nextCursor: null,
  });
});

test("a cursor of another user's names no session of his", async () => {
  const { pairs } = await service.open(1);
  const [{ cookies, key }] = pairs;
  const other = await service.logIn();
  const { sessions } = bodyOf(
    await sandbox.listSessions({ cookies, query: { cursor: other.key.sessionId } }),
  );
  const isAfter = key.sessionId > other.key.sessionId;
  expect(sessions.map(({ sessionId }: Item) => sessionId)).toEqual(isAfter ? [key.sessionId] : []);
});

test.each(["", "1.x", "1 x", "9".repeat(65), "ü", "%00"])("not from the cursor %j", async (cursor) => {
  const { cookies } = await service.logIn();
  const detail = "Take the cursor from nextCursor of the page before.";
  const refusal = { status: 400, code: "invalid_cursor", detail };
  await expectRefusal(() => sandbox.listSessions({ cookies, query: { cursor } }), refusal);
});
