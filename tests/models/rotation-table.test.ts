import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import type { RotatedSession } from "../../lib/sessions/rotation.ts";
import type { Session } from "../../lib/sessions/session.ts";
import { createSessionStore, type WriteResult } from "../../lib/sessions/store.ts";
import { type Database, startDatabase, tableNames } from "../support/database.ts";
import { createMemorySessions } from "./memory-sessions.ts";
import type { Item, RearmCall, RotateCall } from "./rotation/symbols.ts";
import { table } from "./rotation/table.ts";

// The tables of the models are transcriptions; here they stand beside the real one.
process.env.AWS_REGION ??= "eu-central-1";
process.env.AWS_ACCESS_KEY_ID ??= "test";
process.env.AWS_SECRET_ACCESS_KEY ??= "test";

const now = 1_800_000_000;
const key = { userId: "user", sessionId: "session" };
const times = { now, expiresAt: now + 86_400 };
const rotation: RotateCall = {
  ...{ is: "rotate", presented: "0#0", successor: "1#1", salt: 1, key: "its key", notRotatedSince: now - 30 },
  ...times,
};
const rearming: RearmCall = { is: "rearm", token: "0#0", previous: "-1#2", rotatedAt: now - 16, ...times };

const items: (Item | null)[] = [null];
for (const token of ["0#0", "5#5"] as const)
  for (const previous of ["-1#2", "4#4", null] as const)
    for (const rotatedAt of [null, now - 31, now - 30, now - 29, now - 16, now])
      for (const expiresAt of [now - 1, now, now + 1])
        items.push({ token, previous, salt: 9, rotatedAt, key: "an older key", keyed: true, expiresAt });

let database: Database;
let sessions: ReturnType<typeof createSessionStore>;
let dynamodb: ReturnType<typeof createDynamoDB>;

beforeAll(async () => {
  database = await startDatabase();
  dynamodb = createDynamoDB({ dynamodbEndpoint: database.endpoint });
  sessions = createSessionStore(dynamodb, tableNames.sessions);
});

afterAll(async () => {
  dynamodb.client.destroy();
  await database.stop();
});

test.each([rotation, { ...rotation, key: null }])(
  "the models' rotate is the table's: key $key",
  async (call) => {
    for (const item of items) {
      await store(item);
      const rotation = {
        ...{ presentedHash: call.presented, successorHash: call.successor, rotationSalt: String(call.salt) },
        ...{ keyHash: call.key ?? undefined, notRotatedSince: call.notRotatedSince, ...times },
      };
      const result = await sessions.rotate(key, rotation);
      expectSame(item, result, table.rotate(item, call));
      expect({ item, ...(await inMemory(item).rotate(key, rotation)) }).toEqual({ item, ...result });
    }
  },
);

test("the models' rearm is the table's", async () => {
  const { token, previous, rotatedAt } = rearming;
  const seen = { tokenHash: token, previousTokenHash: previous, rotatedAt };
  for (const item of items) {
    await store(item);
    const session = { ...key, ...seen } as RotatedSession;
    const result = await sessions.rearm(session, times);
    expectSame(item, result, table.rearm(item, rearming));
    expect({ item, ...(await inMemory(item).rearm(session, times)) }).toEqual({ item, ...result });
  }
});

async function store(item: Item | null): Promise<void> {
  await (item ? database.put("sessions", toSession(item)) : database.delete("sessions", key));
}

function inMemory(item: Item | null) {
  return createMemorySessions(new Map(item ? [[key.sessionId, toSession(item)]] : []));
}

function expectSame(before: Item | null, result: WriteResult, written: Item | null): void {
  const after = written ?? before;
  expect({ before, ...result }).toEqual({
    before,
    written: written !== null,
    session: after ? toSession(after) : undefined,
  });
}

function toSession({ token, previous, salt, rotatedAt, key: ofRotation, keyed, expiresAt }: Item): Session {
  return {
    ...{ ...key, email: "ada@example.com", tokenHash: token, keyed, createdAt: now - 100, expiresAt },
    ...(previous !== null && { previousTokenHash: previous }),
    ...(salt !== null && { rotationSalt: String(salt) }),
    ...(rotatedAt !== null && { rotatedAt }),
    ...(ofRotation !== null && { rotationKeyHash: ofRotation }),
  };
}
