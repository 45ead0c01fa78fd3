import { randomUUID } from "node:crypto";
import { afterAll, beforeEach, describe, expect, test } from "@jest/globals";
import { startDatabase, tableNames } from "../../tests/support/database.ts";
import { deny, hang, loseAnswer, loseRequest } from "../../tests/support/faults.ts";
import { keepSecrets } from "../../tests/support/log.ts";
import { type Fault, startWire } from "../../tests/support/wire.ts";
import { createDynamoDB } from "../dynamodb.ts";
import { hashToken } from "../tokens/refresh-token.ts";
import type { RotatedSession } from "./rotation.ts";
import type { Session } from "./session.ts";
import { createSessionStore, isSessionId, type Rotation } from "./store.ts";

Object.assign(process.env, {
  AWS_REGION: "eu-central-1",
  AWS_ACCESS_KEY_ID: "test",
  AWS_SECRET_ACCESS_KEY: "test",
});

const database = await startDatabase();

/** A store and the way to its table; DynamoDB sends the item that refused a write along, embedded engines do not. */
async function openStore(returnsItemOnFailure: boolean) {
  const wire = await startWire({ database, addsItems: returnsItemOnFailure });
  const { client } = createDynamoDB({ dynamodbEndpoint: wire.endpoint });
  return { wire, ...createSessionStore({ client, returnsItemOnFailure }, tableNames.sessions) };
}
const aws = await openStore(true);
const embedded = await openStore(false);
const { wire } = aws;
beforeEach(() => {
  for (const { wire } of [aws, embedded]) {
    wire.mend();
    wire.forget();
  }
});
afterAll(async () => {
  await aws.wire.stop();
  await embedded.wire.stop();
  await database.stop();
});

const now = 1_800_000_000;
const [current, previous, next, other] = ["1", "0", "2", "x"].map(hashToken) as Texts;
const [salt, newSalt, key, newKey] = ["salt", "new salt", "key", "new key"].map(hashToken) as Texts;
type Texts = [string, string, string, string];
keepSecrets(current, previous, next, other, salt, newSalt, key, newKey);
const unavailable = { name: "AppError", code: "unavailable" };
const [put, get, update, remove] = ["PutItem", "GetItem", "UpdateItem", "DeleteItem"].map(
  (operation) => `${operation} sessions`,
) as [string, string, string, string];

function newSession(members: Partial<Session> = {}): Session {
  return {
    userId: randomUUID(),
    sessionId: randomUUID(),
    email: "ada@example.com",
    tokenHash: current,
    keyed: true,
    createdAt: now - 100,
    expiresAt: now + 1_000,
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
  previousTokenHash: previous,
  rotationSalt: salt,
  rotatedAt: now - 30,
  rotationKeyHash: key,
};
const rotation: Rotation = {
  presentedHash: current,
  successorHash: next,
  rotationSalt: newSalt,
  keyHash: newKey,
  now,
  notRotatedSince: now - 30,
  expiresAt: now + 2_000,
};
const keyOf = ({ userId, sessionId }: Session) => ({ userId, sessionId });
const find = (session: Session) => database.find("sessions", keyOf(session));

const denied = deny("AccessDeniedException");
const someSession = { ...newSession(), ...rotatedBefore };

test.each<[string, () => Promise<unknown>]>([
  ["put", () => aws.put(someSession)],
  ["rotate", () => aws.rotate(someSession, rotation)],
  ["rearm", () => aws.rearm(someSession, rotation)],
  ["delete", () => aws.delete(someSession)],
  ["end", () => aws.end(someSession, now)],
  ["find", () => aws.find(someSession)],
  ["list", () => aws.list(someSession.userId, ["sessionId"])],
  ["deleteAll", () => aws.deleteAll([someSession])],
])("%s is unavailable when DynamoDB refuses it, and says why", async (_, call) => {
  wire.break("", denied);
  const cause = expect.objectContaining({ name: "AccessDeniedException" });
  await expect(call()).rejects.toMatchObject({ ...unavailable, cause });
  expect(wire.names).toHaveLength(1);
});

describe("put", () => {
  test("stores a session as it is, without what it has not", async () => {
    const session = newSession({ claims: { roles: ["admin"] }, userAgent: "tests" });
    await aws.put({ ...session, sessionEpoch: undefined } as unknown as Session);
    expect(await find(session)).toEqual(session);
  });

  test("never replaces a session", async () => {
    const session = await stored();
    await expect(aws.put({ ...session, tokenHash: other })).rejects.toMatchObject(unavailable);
    expect(await find(session)).toEqual(session);
  });

  test.each([
    ["the request", loseRequest],
    ["the answer", loseAnswer],
  ])("is sent once when %s is lost", async (_, fault) => {
    wire.break(put, fault);
    await expect(aws.put(newSession())).rejects.toMatchObject(unavailable);
    await aws.put(newSession());
    expect(wire.names).toEqual([put, put]);
  });
});

describe("rotate", () => {
  const successor = {
    previousTokenHash: current,
    tokenHash: next,
    rotationSalt: newSalt,
    rotatedAt: now,
    expiresAt: now + 2_000,
  };

  test.each([
    ["never rotated", {}],
    ["rotated once", rotatedBefore],
    ["expired a second later", { expiresAt: now + 1 }],
  ])("replaces the pair of a session %s, with one write", async (_, members) => {
    const session = await stored(members);
    const after = { ...session, ...successor, rotationKeyHash: newKey };
    expect(await aws.rotate(session, rotation)).toEqual({ written: true, session: after });
    expect(await find(session)).toEqual(after);
    expect(wire.names).toEqual([update]);
  });

  test("without a key forgets the last one", async () => {
    const session = await stored(rotatedBefore);
    const { rotationKeyHash: _, ...others } = session;
    await aws.rotate(session, { ...rotation, keyHash: undefined });
    expect(await find(session)).toEqual({ ...others, ...successor });
  });

  const refusing: [string, Partial<Session>][] = [
    ["has another token", { tokenHash: other }],
    ["is over", { expiresAt: now }],
    ["was rotated a second too late", { ...rotatedBefore, rotatedAt: now - 29 }],
  ];

  test.each(refusing)("changes nothing in a session that %s, and tells what it is", async (_, members) => {
    const session = await stored(members);
    expect(await aws.rotate(session, rotation)).toEqual({ written: false, session });
    expect(wire.names).toEqual([update]);
    expect(await embedded.rotate(session, rotation)).toEqual({ written: false, session });
    expect(embedded.wire.names).toEqual([update, get]);
    expect(await find(session)).toEqual(session);
  });

  test("makes no session where there is none", async () => {
    const session = newSession();
    expect(await aws.rotate(session, rotation)).toEqual({ written: false, session: undefined });
    expect(wire.names).toEqual([update]);
    expect(await embedded.rotate(session, rotation)).toEqual({ written: false, session: undefined });
    expect(embedded.wire.names).toEqual([update, get]);
    expect(await find(session)).toBeUndefined();
  });

  test("whose answer was lost meets its own write when it is sent again", async () => {
    const session = await stored();
    wire.break(update, loseAnswer);
    const result = await aws.rotate(session, rotation);
    expect(result).toEqual({
      written: false,
      session: { ...session, ...successor, rotationKeyHash: newKey },
    });
    expect(wire.names).toEqual([update, update]);
  });

  test("is unavailable when the look after a refusal is, and when the item is damaged", async () => {
    const session = await stored({ tokenHash: other });
    embedded.wire.break(get, denied);
    await expect(embedded.rotate(session, rotation)).rejects.toMatchObject(unavailable);
    await database.change("sessions", keyOf(session), { email: 1 });
    for (const store of [aws, embedded])
      await expect(store.rotate(session, rotation)).rejects.toMatchObject(unavailable);
    await database.change("sessions", keyOf(session), { tokenHash: current });
    await expect(aws.rotate(session, rotation)).rejects.toMatchObject(unavailable);
  });
});

describe("rearm", () => {
  const times = { now, expiresAt: now + 3_000 };

  test("starts the interval anew and changes nothing else", async () => {
    const session = await stored(rotatedBefore);
    const after = { ...session, rotatedAt: now, expiresAt: now + 3_000 };
    expect(await aws.rearm(session, times)).toEqual({ written: true, session: after });
    expect(await find(session)).toEqual(after);
  });

  test.each([
    ["another token", { tokenHash: other }],
    ["another predecessor", { previousTokenHash: other }],
    ["another time of rotation", { rotatedAt: now - 29 }],
  ])("leaves a session alone that has %s by now, and tells what it is", async (_, members) => {
    const seen = await stored(rotatedBefore);
    const session = { ...seen, ...members };
    await database.put("sessions", session);
    expect(await aws.rearm(seen, times)).toEqual({ written: false, session });
    expect(await find(session)).toEqual(session);
  });

  test("does not revive a session", async () => {
    const seen = { ...newSession(), ...rotatedBefore };
    expect(await aws.rearm(seen, times)).toEqual({ written: false, session: undefined });
    expect(await find(seen)).toBeUndefined();
  });
});

describe("delete and end", () => {
  test("end one session, whether or not it exists", async () => {
    const [session, other] = [await stored(), await stored()];
    await aws.delete(session);
    await aws.delete(session);
    expect(await find(session)).toBeUndefined();
    expect(await find(other)).toEqual(other);
    expect(wire.names).toEqual([remove, remove]);
  });

  test("end tells whether the session was live", async () => {
    const [live, over] = [await stored({ expiresAt: now + 1 }), await stored({ expiresAt: now })];
    expect(await aws.end(live, now)).toBe(true);
    expect(await aws.end(live, now)).toBe(false);
    expect(await aws.end(over, now)).toBe(false);
    expect(await find(live)).toBeUndefined();
    expect(await find(over)).toBeUndefined();
  });

  test("end counts its own deletion whose answer was lost", async () => {
    const session = await stored();
    wire.break(remove, loseAnswer);
    expect(await aws.end(session, now)).toBe(true);
    expect(wire.names).toEqual([remove, remove]);
  });
});

test("find reads a session as it is at this moment", async () => {
  const session = await stored(rotatedBefore);
  expect(await aws.find(session)).toEqual(session);
  expect(wire.requests[0]?.parameters).toMatchObject({ ConsistentRead: true });
  expect(await aws.find(newSession())).toBeUndefined();
});

test.each<[string, (session: RotatedSession, signal: AbortSignal) => Promise<unknown>]>([
  ["find", (session, signal) => aws.find(session, signal)],
  ["rotate", (session, signal) => aws.rotate(session, rotation, signal)],
  ["rearm", (session, signal) => aws.rearm(session, rotation, signal)],
  ["delete", (session, signal) => aws.delete(session, signal)],
])("%s sends nothing more when it is aborted", async (_, call) => {
  const session = await stored(rotatedBefore);
  const cut = new AbortController();
  wire.break("", (request) => {
    cut.abort();
    return hang(request);
  });
  await expect(call(session, cut.signal)).rejects.toMatchObject(unavailable);
  await expect(call(session, cut.signal)).rejects.toMatchObject(unavailable);
  expect(wire.names).toHaveLength(1);
  expect(await find(session)).toEqual(session);
});

test("the look after a refusal ends when it is aborted", async () => {
  const session = await stored({ tokenHash: other });
  const cut = new AbortController();
  embedded.wire.break(get, (request) => {
    cut.abort();
    return hang(request);
  });
  await expect(embedded.rotate(session, rotation, cut.signal)).rejects.toMatchObject(unavailable);
  expect(embedded.wire.names).toEqual([update, get]);
});

describe("list", () => {
  test("reads what is asked for of all sessions of a user, page by page, at this moment", async () => {
    const { userId } = await stored();
    const sessions = [newSession({ userId }), newSession({ userId }), newSession({ userId })];
    await database.putAll("sessions", sessions);
    wire.break("Query", (request) => request.deliver({ ...request.parameters, Limit: 2 }), { times: 9 });
    const listed = await aws.list(userId, ["sessionId", "expiresAt"]);
    const known = await database.sessionsOf(userId);
    expect(listed).toEqual(known.map(({ sessionId, expiresAt }) => ({ sessionId, expiresAt })));
    expect(listed).toHaveLength(4);
    expect(wire.requests.map(({ parameters }) => parameters.ConsistentRead)).toEqual([true, true, true]);
  });

  test("finds nothing of a user without sessions", async () => {
    expect(await aws.list(randomUUID(), ["sessionId"])).toEqual([]);
    expect(wire.names).toEqual(["Query sessions"]);
  });
});

describe("deleteAll", () => {
  const batch = "BatchWriteItem sessions";
  /** DynamoDB leaves all but so many items of a batch undone. */
  const doOnly =
    (count: number): Fault =>
    async (request) => {
      const requests = request.parameters.RequestItems[tableNames.sessions];
      const done = { [tableNames.sessions]: requests.slice(0, count) };
      const left = { [tableNames.sessions]: requests.slice(count) };
      if (count > 0) await request.deliver({ RequestItems: done });
      return { status: 200, body: JSON.stringify({ UnprocessedItems: left }) };
    };

  async function storedMany(count: number): Promise<Session[]> {
    const userId = randomUUID();
    const sessions = Array.from({ length: count }, () => newSession({ userId }));
    await database.putAll("sessions", sessions);
    return sessions;
  }

  test.each([
    [0, 0],
    [1, 1],
    [25, 1],
    [26, 2],
    [60, 3],
    [230, 10],
  ])("ends %i sessions in %i batches, and no others", async (count, batches) => {
    const [sessions, other] = [await storedMany(count), await stored()];
    await aws.deleteAll(sessions);
    expect(wire.names).toEqual(Array.from({ length: batches }, () => batch));
    expect(await database.sessionsOf(sessions[0]?.userId ?? other.sessionId)).toEqual([]);
    expect(await find(other)).toEqual(other);
  });

  test("sends again what DynamoDB left undone, and only that", async () => {
    const sessions = await storedMany(3);
    wire.break(batch, doOnly(1));
    wire.break(batch, doOnly(0), { times: 3 });
    await aws.deleteAll(sessions);
    const counts = wire.requests.map(({ parameters }) => parameters.RequestItems[tableNames.sessions].length);
    expect(counts).toEqual([3, 2, 2, 2, 2]);
    expect(await database.sessionsOf(sessions[0]?.userId ?? "")).toEqual([]);
  });

  test("gives up after five attempts, and says why", async () => {
    const sessions = await storedMany(2);
    wire.break(batch, doOnly(0), { times: 9 });
    const cause = expect.objectContaining({ message: expect.stringContaining("unprocessed") });
    await expect(aws.deleteAll(sessions)).rejects.toMatchObject({ ...unavailable, cause });
    expect(wire.names).toHaveLength(5);
  });
});

test("only what can be a session id of ours is looked for", () => {
  for (const id of [randomUUID(), "a", "A_9-", "x".repeat(64)]) expect(isSessionId(id)).toBe(true);
  for (const value of ["", "x".repeat(65), "a b", "ä", "a\n", "\na", "../a", 1, undefined, null, ["a"]])
    expect(isSessionId(value)).toBe(false);
});
