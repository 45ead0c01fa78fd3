import { afterAll, expect, test } from "@jest/globals";
import { createDynamoDB } from "../../lib/dynamodb.ts";
import type { RotatedSession } from "../../lib/sessions/rotation.ts";
import type { Session } from "../../lib/sessions/session.ts";
import { createSessionStore } from "../../lib/sessions/store.ts";
import { startDatabase, tableNames } from "../support/database.ts";
import { createMemoryClient } from "./memory-table.ts";

// The models run the real store over a table in memory; here it stands beside the engine.
Object.assign(process.env, {
  AWS_REGION: "eu-central-1",
  AWS_ACCESS_KEY_ID: "t",
  AWS_SECRET_ACCESS_KEY: "t",
});

const now = 1_800_000_000;
const key = { userId: "user", sessionId: "session" };
const times = { nowMs: now * 1000, expiresAt: now + 60 };
const seen = {
  ...key,
  tokenHash: "current",
  previousTokenHash: "previous",
  rotatedAtMs: (now - 16) * 1000,
  rearms: 1,
};
const rotation = {
  ...{ presentedHash: "current", successorHash: "successor", rotationSalt: "salt", keyHash: "key" },
  ...{ notRotatedSinceMs: (now - 30) * 1000, client: { ip: "192.0.2.1" }, sessionKeyHash: "bound", ...times },
};

const items: (Session | undefined)[] = [undefined];
for (const tokenHash of ["current", "another"])
  for (const previousTokenHash of ["previous", "another", undefined])
    for (const rotatedAt of [undefined, now - 31, now - 30, now - 29, now - 16, now])
      for (const expiresAt of [now - 1, now, now + 1])
        items.push({
          ...{ ...key, email: "ada@example.com", tokenHash, keyed: true, sessionEpoch: 0 },
          createdAt: now - 100,
          ...{ expiresAt, rotationSalt: "older", rotationKeyHash: "older" },
          ...(previousTokenHash !== undefined && { previousTokenHash }),
          ...(rotatedAt !== undefined && { rotatedAt, rotatedAtMs: rotatedAt * 1000, rearms: 1 }),
          ...(expiresAt === now + 1 && { sessionKeyHash: "bound", userAgent: "a browser" }),
        });

const database = await startDatabase();
const dynamodb = createDynamoDB({ dynamodbEndpoint: database.endpoint, dynamodbTimeoutMs: 10_000 });
afterAll(async () => {
  dynamodb.destroy();
  await database.stop();
});

type Store = ReturnType<typeof createSessionStore>;
const calls: [string, (store: Store) => Promise<unknown>][] = [
  ["rotate, with a key", ({ rotate }) => rotate(key, rotation)],
  [
    "rotate, without a key",
    ({ rotate }) => rotate(key, { ...rotation, keyHash: undefined, sessionKeyHash: undefined }),
  ],
  ["rearm", ({ rearm }) => rearm(seen as RotatedSession, times)],
  ["delete", (store) => store.delete(key)],
];

test.each(calls)("the models' table answers and holds what the engine's does: %s", async (_, call) => {
  for (const item of items) {
    const memory = new Map(item ? [[key.sessionId, { ...item }]] : []);
    await (item ? database.put("sessions", item) : database.delete("sessions", key));
    const answer = await call(createSessionStore(dynamodb, tableNames.sessions));
    expect(await call(createSessionStore(createMemoryClient(memory), "sessions"))).toEqual(answer);
    expect(memory.get(key.sessionId)).toEqual(await database.find("sessions", key));
  }
});
