import { randomUUID } from "node:crypto";
import { afterAll, beforeEach, describe, expect, test } from "@jest/globals";
import { startDatabase, tableNames } from "../../tests/support/database.ts";
import { deny, loseAnswer } from "../../tests/support/faults.ts";
import { keepSecrets } from "../../tests/support/log.ts";
import { type Fault, startWire } from "../../tests/support/wire.ts";
import { createDynamoDB } from "../dynamodb.ts";
import { hashToken } from "../tokens/refresh-token.ts";
import type { Session } from "./session.ts";
import { createSessionStore, isSessionId, type Rotation } from "./store.ts";

const access = { AWS_REGION: "eu-central-1", AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
Object.assign(process.env, access);

const database = await startDatabase();
const wire = await startWire(database);
const dynamodb = createDynamoDB({ dynamodbEndpoint: wire.endpoint, dynamodbTimeoutMs: 10_000 });
const store = createSessionStore(dynamodb, tableNames.sessions);
beforeEach(() => {
  wire.mend();
  wire.forget();
});
afterAll(async () => {
  await wire.stop();
  await database.stop();
});

const now = 1_800_000_000;
const nowMs = now * 1000;
const [current, previous, next, other] = ["1", "0", "2", "x"].map(hashToken) as Texts;
const [salt, newSalt, key, newKey] = ["salt", "new salt", "key", "new key"].map(hashToken) as Texts;
type Texts = [string, string, string, string];
keepSecrets(current, previous, next, other, salt, newSalt, key, newKey);
const unavailable = { name: "AppError", code: "unavailable" };
const [update, remove] = ["UpdateItem sessions", "DeleteItem sessions"] as const;

/** A session that was opened a while ago. */
function newSession(members: Partial<Session> = {}): Session {
  return {
    ...{ userId: randomUUID(), sessionId: randomUUID(), email: "ada@example.com", tokenHash: current },
    ...{ keyed: true, sessionEpoch: 0, createdAt: now - 100, expiresAt: now + 1_000 },
    ...members,
  };
}

/** A session in the table. */
async function stored<Members extends Partial<Session>>(members = {} as Members): Promise<Session & Members> {
  const session = newSession(members);
  await database.put("sessions", session);
  return session as Session & Members;
}

const rotatedBefore = {
  ...{ previousTokenHash: previous, rotationSalt: salt, rotationKeyHash: key, previousKeyHash: "none" },
  ...{ rotatedAt: now - 30, rotatedAtMs: nowMs - 30_000, renewedAtMs: nowMs - 30_000 },
};
const rotation: Rotation = {
  ...{ presentedHash: current, successorHash: next, rotationSalt: newSalt, keyHash: newKey },
  ...{ nowMs, notRotatedSinceMs: nowMs - 30_000, expiresAt: now + 2_000, sessionKeyHash: undefined },
  client: { ip: "192.0.2.7", userAgent: "another browser" },
};
const keyOf = ({ userId, sessionId }: Session) => ({ userId, sessionId });
const find = (session: Session) => database.find("sessions", keyOf(session));

const denied = deny("AccessDeniedException");
const someSession = { ...newSession(), ...rotatedBefore };

test.each<[string, () => Promise<unknown>]>([
  ["put", () => store.put(someSession)],
  ["rotate", () => store.rotate(someSession, rotation)],
  ["rearm", () => store.rearm(someSession, rotation)],
  ["delete", () => store.delete(someSession)],
  ["end", () => store.end(someSession, 0)],
  ["find", () => store.find(someSession)],
  ["list", () => store.list(someSession.userId, ["sessionId"])],
  ["deleteAll", () => store.deleteAll([someSession])],
])("%s is unavailable when DynamoDB refuses it, and says why", async (_, call) => {
  wire.break("", denied);
  const cause = expect.objectContaining({ name: "AccessDeniedException" });
  await expect(call()).rejects.toMatchObject({ ...unavailable, cause });
  expect(wire.names).toHaveLength(1);
});

// That a late or a repeated write revives no session and overwrites none is shown through the door:
// tests/sessions/faults.test.ts, tests/sessions/races.test.ts, tests/accounts/login-faults.test.ts.

test("put stores a session as it is, without what it has not", async () => {
  const session = newSession({ claims: { roles: ["admin"] }, userAgent: "tests" });
  await store.put({ ...session, ip: undefined } as unknown as Session);
  expect(await find(session)).toEqual(session);
});

describe("rotate", () => {
  const times = { rotatedAt: now, rotatedAtMs: nowMs, renewedAtMs: nowMs, expiresAt: now + 2_000 };
  const successor = { previousTokenHash: current, tokenHash: next, rotationSalt: newSalt, ...times };
  const noted = { ip: "192.0.2.7", userAgent: "another browser" };

  test.each([
    ["never rotated", {}, "none"],
    ["rotated once", rotatedBefore, key],
    ["expired a second later", { expiresAt: now + 1, ip: "192.0.2.1" }, "none"],
  ])("replaces the pair of a session %s, with one write", async (_, members, previousKeyHash) => {
    const session = await stored(members);
    const after = { ...session, ...successor, ...noted, rotationKeyHash: newKey, previousKeyHash };
    expect(await store.rotate(session, rotation)).toEqual({ written: true, session: after });
    expect(await find(session)).toEqual(after);
    expect(wire.names).toEqual([update]);
  });

  test("forgets how often it was re-armed; without a key the last one, and without a user agent the last one", async () => {
    const session = await stored({ ...rotatedBefore, rearms: 1, userAgent: "a browser", ip: "192.0.2.1" });
    const { rotationKeyHash: _, rearms: __, userAgent: ___, ...others } = session;
    await store.rotate(session, { ...rotation, keyHash: undefined, client: { ip: noted.ip } });
    expect(await find(session)).toEqual({ ...others, ...successor, ip: noted.ip, previousKeyHash: key });
  });

  test("renews a session with a Session-Key for whoever has it", async () => {
    const session = await stored({ sessionKeyHash: other });
    expect((await store.rotate(session, { ...rotation, sessionKeyHash: other })).written).toBe(true);
    const refused = await store.rotate(await stored({ sessionKeyHash: other }), {
      ...rotation,
      sessionKeyHash: next,
    });
    expect(refused.written).toBe(false);
    expect((await store.rotate(await stored(), { ...rotation, sessionKeyHash: other })).written).toBe(true);
  });
});

test.each([
  [{}, 1],
  [{ rearms: 1 }, 2],
])("rearm starts the interval anew, counts, and changes nothing else: %j", async (before, rearms) => {
  const session = await stored({ ...rotatedBefore, ...before });
  const after = { ...session, rotatedAt: now, rotatedAtMs: nowMs, expiresAt: now + 3_000, rearms };
  const rearmed = await store.rearm(session, { nowMs, expiresAt: now + 3_000 });
  expect(rearmed).toEqual({ written: true, session: after });
  expect(await find(session)).toEqual(after);
});

test.each<["rotate" | "rearm", string, Partial<Session>]>([
  ["rotate", "another token", { tokenHash: other }],
  ["rotate", "no time left", { expiresAt: now }],
  ["rotate", "been rotated a millisecond too late", { rotatedAtMs: nowMs - 29_999 }],
  ["rotate", "a Session-Key", { sessionKeyHash: other }],
  ["rearm", "another token", { tokenHash: other }],
  ["rearm", "another predecessor", { previousTokenHash: other }],
  ["rearm", "another time of rotation", { rotatedAtMs: nowMs - 29_999 }],
])("%s changes nothing in a session that has %s by now, and tells what it is", async (name, _, members) => {
  const seen = await stored(rotatedBefore);
  const session = { ...seen, ...members };
  await database.put("sessions", session);
  expect(await store[name](seen, rotation)).toEqual({ written: false, session });
  expect(wire.names).toEqual([update]);
  expect(await find(session)).toEqual(session);
});

test("end gives the session as it was, counts its own deletion whose answer was lost, and ends none of a later epoch", async () => {
  const [live, lost] = [await stored({ sessionEpoch: 2 }), await stored()];
  expect(await store.end(live, 1)).toEqual({ is: "newer" });
  expect(await find(live)).toEqual(live);
  expect(await store.end(live, 2)).toEqual({ is: "ended", item: live });
  expect(await store.end(live, 2)).toEqual({ is: "none", item: {} });
  wire.forget();
  wire.break(remove, loseAnswer);
  expect(await store.end(lost, 5)).toEqual({ is: "ended", item: {} });
  expect(wire.names).toEqual([remove, remove]);
});

async function storedMany(count: number): Promise<Session[]> {
  const userId = randomUUID();
  const sessions = Array.from({ length: count }, () => newSession({ userId }));
  await database.putAll("sessions", sessions);
  return sessions;
}

test("list reads what is asked for of all sessions of a user, page by page, at this moment", async () => {
  const [{ userId } = newSession()] = await storedMany(4);
  wire.break("Query", (request) => request.deliver({ ...request.parameters, Limit: 2 }), { times: 9 });
  const listed = await store.list(userId, ["sessionId", "expiresAt"]);
  const known = await database.sessionsOf(userId);
  expect(listed).toEqual(known.map(({ sessionId, expiresAt }) => ({ sessionId, expiresAt })));
  expect(listed).toHaveLength(4);
  expect(wire.requests.map(({ parameters }) => parameters.ConsistentRead)).toEqual([true, true, true]);
});

describe("deleteAll", () => {
  const batch = "BatchWriteItem sessions";
  /** DynamoDB does this many items of a batch and leaves the others undone. */
  const doOnly =
    (count: number): Fault =>
    async (request) => {
      const requests = request.parameters.RequestItems[tableNames.sessions];
      const partOf = (part: object[]) => ({ [tableNames.sessions]: part });
      if (count > 0) await request.deliver({ RequestItems: partOf(requests.slice(0, count)) });
      return { status: 200, body: JSON.stringify({ UnprocessedItems: partOf(requests.slice(count)) }) };
    };

  test.each([
    [0, 0],
    [25, 1],
    [26, 2],
    [230, 10],
  ])("ends %i sessions in %i batches, and no others", async (count, batches) => {
    const [sessions, other] = [await storedMany(count), await stored()];
    await store.deleteAll(sessions);
    expect(wire.names).toEqual(Array.from({ length: batches }, () => batch));
    expect(await database.sessionsOf(sessions[0]?.userId ?? other.sessionId)).toEqual([]);
    expect(await find(other)).toEqual(other);
  });

  test("sends again what DynamoDB left undone, and only that, five times at most", async () => {
    const sessions = await storedMany(3);
    wire.break(batch, doOnly(1));
    wire.break(batch, doOnly(0), { times: 8 });
    const cause = expect.objectContaining({ message: expect.stringContaining("unprocessed") });
    await expect(store.deleteAll(sessions)).rejects.toMatchObject({ ...unavailable, cause });
    await store.deleteAll(sessions);
    const counts = wire.requests.map(({ parameters }) => parameters.RequestItems[tableNames.sessions].length);
    expect(counts).toEqual([3, 2, 2, 2, 2, 3, 3, 3, 3, 3]);
    expect(await database.sessionsOf(sessions[0]?.userId ?? "")).toEqual([]);
  });
});

test("only what can be a session id of ours is looked for", () => {
  for (const id of [randomUUID(), "a", "A_9-", "x".repeat(64)]) expect(isSessionId(id)).toBe(true);
  for (const value of ["", "x".repeat(65), "a b", "ä", "a\n", "\na", "../a", 1, undefined, null, ["a"]])
    expect(isSessionId(value)).toBe(false);
});
