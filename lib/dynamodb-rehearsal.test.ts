import { setImmediate } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { afterAll, expect, test } from "@jest/globals";
import { createRehearsingAgent, rehearseWrite } from "./dynamodb-rehearsal.ts";

const httpsAgent = createRehearsingAgent();
const credentials = { accessKeyId: "test", secretAccessKey: "test" };
// Nobody listens there: whatever left the sandbox would fail
const client = new DynamoDBClient({
  ...{ region: "eu-central-1", endpoint: "http://127.0.0.1:1", credentials, maxAttempts: 1 },
  requestHandler: { httpsAgent },
});
afterAll(() => client.destroy());

test("a rehearsal goes all the way to the parser of the answer, opens no socket and leaves none", async () => {
  expect(await rehearseWrite(DynamoDBDocumentClient.from(client))).toEqual({ a: "b" });
  await setImmediate();
  const left = [httpsAgent.sockets, httpsAgent.freeSockets, httpsAgent.requests].map(Object.keys);
  expect(left.flat()).toEqual([]);
});

test("every other host gets a connection of its own", async () => {
  const { promise, resolve } = Promise.withResolvers<Error>();
  const socket = httpsAgent.createConnection({ host: "127.0.0.1", port: 1 }, () => {});
  socket?.on("error", resolve);
  expect(await promise).toMatchObject({ code: "ECONNREFUSED" });
});
