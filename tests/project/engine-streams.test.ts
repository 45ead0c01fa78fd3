import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeEach, describe, expect, test } from "@jest/globals";
import { matchesPattern } from "../../local/filter-pattern.ts";
import {
  createConsumer,
  createStreamReader,
  listFeeds,
  type StreamEvent,
} from "../../local/stream-consumer.ts";
import type { StreamRecord } from "../../local/streams.ts";
import { createTables } from "../../local/tables.ts";
import { startDatabase } from "../support/database.ts";

// What feeds functions from a table: local/streams.ts at dynalite's door, and what reads the streams of any engine.
const database = await startDatabase();
const client = new DynamoDBClient({
  endpoint: database.endpoint,
  region: "eu-central-1",
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
});
afterAll(async () => {
  client.destroy();
  await database.stop();
});

async function send(operation: string, parameters: object) {
  const { status, body } = await database.deliver(
    `DynamoDB_20120810.${operation}`,
    JSON.stringify(parameters),
  );
  return { status, ...JSON.parse(body) };
}

const key = (id: string) => ({ id: { S: id } });
const item = (id: string, count: number) => ({ ...key(id), count: { N: String(count) } });
let tables = 0;

/** A table of this test's own, with a stream of that view; undefined for none. */
async function createTable(StreamViewType?: string, TableName = `streamed-${++tables}`) {
  const Properties = {
    TableName,
    KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
    AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
    BillingMode: "PAY_PER_REQUEST",
    ...(StreamViewType && { StreamSpecification: { StreamViewType } }),
  };
  await createTables(client, { Table: { Type: "AWS::DynamoDB::Table", Properties } });
  return {
    TableName,
    write: (operation: string, parameters: object) => send(operation, { TableName, ...parameters }),
    read: createStreamReader(database.deliver, { tableName: TableName, event: source }),
  };
}

const source: StreamEvent = { arn: { "Fn::GetAtt": ["NotesTable", "StreamArn"] } };
const toLine = ({ eventName, dynamodb: { Keys, OldImage, NewImage } }: StreamRecord) =>
  [eventName, Keys, OldImage, NewImage] as const;

test("a stream tells of every write that changed something, in order, with the images before and after", async () => {
  const { TableName, write, read } = await createTable("NEW_AND_OLD_IMAGES");
  await write("PutItem", { Item: item("a", 1) });
  await write("UpdateItem", {
    Key: key("a"),
    UpdateExpression: "ADD #count :one",
    ExpressionAttributeNames: { "#count": "count" },
    ExpressionAttributeValues: { ":one": { N: "1" } },
  });
  const refused = { ConditionExpression: "attribute_not_exists(id)" };
  expect(await write("PutItem", { Item: item("a", 9), ...refused })).toMatchObject({ status: 400 });
  await write("BatchWriteItem", {
    RequestItems: {
      [TableName]: [{ PutRequest: { Item: item("b", 1) } }, { DeleteRequest: { Key: key("a") } }],
    },
  });
  await write("TransactWriteItems", {
    TransactItems: [
      { Put: { TableName, Item: item("c", 1) } },
      { ConditionCheck: { TableName, Key: key("b"), ConditionExpression: "attribute_exists(id)" } },
    ],
  });
  const cancelled = [
    { Put: { TableName, Item: item("d", 1) } },
    { Delete: { TableName, Key: key("b"), ...refused } },
  ];
  expect(await write("TransactWriteItems", { TransactItems: cancelled })).toMatchObject({ status: 400 });
  await write("DeleteItem", { Key: key("none") });

  const records = await read();
  const byKey = (id: string) => records.map(toLine).filter(([, Keys]) => (Keys.id as { S: string }).S === id);
  expect(byKey("a")).toEqual([
    ["INSERT", key("a"), undefined, item("a", 1)],
    ["MODIFY", key("a"), item("a", 1), item("a", 2)],
    ["REMOVE", key("a"), item("a", 2), undefined],
  ]);
  expect([...byKey("b"), ...byKey("c")]).toEqual([
    ["INSERT", key("b"), undefined, item("b", 1)],
    ["INSERT", key("c"), undefined, item("c", 1)],
  ]);
  expect(records).toHaveLength(5);
  expect(await read()).toEqual([]);
  await write("PutItem", { Item: item("e", 1) });
  expect((await read()).map(toLine)).toEqual([["INSERT", key("e"), undefined, item("e", 1)]]);
});

test.each([
  ["NEW_IMAGE", [false, true]],
  ["OLD_IMAGE", [true, false]],
  ["KEYS_ONLY", [false, false]],
])("a stream of %s has no other image", async (view, images) => {
  const { write, read } = await createTable(view);
  await write("PutItem", { Item: item("a", 1) });
  await write("PutItem", { Item: item("a", 2) });
  const [, modified] = await read();
  const { OldImage, NewImage } = modified?.dynamodb ?? {};
  expect([OldImage, NewImage].map((image) => image !== undefined)).toEqual(images);
});

test("where many write one item, each record begins with what the one before made", async () => {
  const { write, read } = await createTable("NEW_AND_OLD_IMAGES");
  await Promise.all(
    Array.from({ length: 50 }, (_, index) => write("PutItem", { Item: item("race", index) })),
  );
  const records = await read();
  expect(records).toHaveLength(50);
  const images = records.map(({ dynamodb }) => [dynamodb.OldImage, dynamodb.NewImage] as const);
  expect(images.slice(1).map(([old]) => old)).toEqual(images.slice(0, -1).map(([, made]) => made));
});

test("a table that is there already gets its stream, and LATEST is what comes after it is opened", async () => {
  const { TableName, write, read: readNone } = await createTable();
  await write("PutItem", { Item: item("older", 1) });
  await expect(readNone()).rejects.toThrow("has no stream");
  await createTable("NEW_IMAGE", TableName);
  await write("PutItem", { Item: item("old", 1) });
  const latest = { tableName: TableName, event: { ...source, startingPosition: "LATEST" as const } };
  const read = createStreamReader(database.deliver, latest);
  expect(await read()).toEqual([]);
  await write("PutItem", { Item: item("new", 1) });
  expect((await read()).map(({ dynamodb }) => dynamodb.Keys)).toEqual([key("new")]);
});

describe("what is handed to a function", () => {
  let stream: StreamRecord[];
  let calls: string[][];
  const put = (...ids: string[]) =>
    stream.push(
      ...ids.map((id, index) => ({
        eventName: "INSERT" as const,
        dynamodb: { Keys: key(id), SequenceNumber: String(100 + index), NewImage: item(id, 1) },
      })),
    );
  const read = async () => stream.splice(0);
  const toIds = (records: StreamRecord[]) =>
    records.map(({ dynamodb: { Keys } }) => (Keys.id as { S: string }).S);
  const reporting = { ...source, functionResponseType: "ReportBatchItemFailures" as const };

  /** A function that fails for some records, by whatever it answers. */
  function consume(
    event: StreamEvent,
    respond: (ids: string[], records: StreamRecord[]) => unknown = () => null,
  ) {
    const consumer = createConsumer(read, event);
    return () =>
      consumer(async ({ Records }) => {
        const ids = toIds(Records);
        calls.push(ids);
        return respond(ids, Records);
      });
  }

  beforeEach(() => {
    stream = [];
    calls = [];
  });

  test("comes in order and in batches", async () => {
    put("a", "b", "c", "d", "e");
    expect(await consume({ ...source, batchSize: 2 })()).toBe(true);
    expect(calls).toEqual([["a", "b"], ["c", "d"], ["e"]]);
  });

  test("is what a filter matches", async () => {
    put("a", "b", "c");
    const wanted = (id: string) => ({ dynamodb: { Keys: { id: { S: [id] } } } });
    await consume({ ...source, filterPatterns: [wanted("c"), wanted("a")] })();
    expect(calls).toEqual([["a", "c"]]);
  });

  test("comes again from the first that is reported as failed", async () => {
    put("a", "b", "c", "d");
    const failing = new Set(["b", "d"]);
    const call = consume(reporting, (ids, records) => ({
      batchItemFailures: ids.flatMap((id, index) =>
        failing.has(id) ? [{ itemIdentifier: records[index]?.dynamodb.SequenceNumber }] : [],
      ),
    }));
    expect(await call()).toBe(false);
    failing.clear();
    put("e");
    expect(await call()).toBe(true);
    expect(calls).toEqual([["a", "b", "c", "d"], ["b", "c", "d"], ["e"]]);
  });

  test.each<[answer: string, result: unknown, isDone: boolean]>([
    ["null", null, true],
    ["no list", {}, true],
    ["an empty list", { batchItemFailures: [] }, true],
    ["a null for a list", { batchItemFailures: null }, true],
    ["a number that is not in the batch", { batchItemFailures: [{ itemIdentifier: "7" }] }, false],
    ["no number", { batchItemFailures: [{}] }, false],
  ])("after a report of %s", async (_, result, isDone) => {
    put("a", "b");
    const call = consume(reporting, () => result);
    expect(await call()).toBe(isDone);
    await call();
    expect(calls).toEqual(
      isDone
        ? [["a", "b"]]
        : [
            ["a", "b"],
            ["a", "b"],
          ],
    );
  });

  test("comes again whole when the function throws, and a report counts only where one is asked for", async () => {
    put("a", "b");
    let isBroken = true;
    const call = consume(source, (_, records) => {
      if (isBroken) throw new Error("out of memory");
      return { batchItemFailures: [{ itemIdentifier: records[0]?.dynamodb.SequenceNumber }] };
    });
    await expect(call()).rejects.toThrow("out of memory");
    isBroken = false;
    expect(await call()).toBe(true);
    expect(calls).toEqual([
      ["a", "b"],
      ["a", "b"],
    ]);
  });
});

test.each<[pattern: Parameters<typeof matchesPattern>[0], matches: boolean]>([
  [{ eventName: ["INSERT"] }, true],
  [{ eventName: ["MODIFY", "INSERT"] }, true],
  [{ eventName: ["REMOVE"] }, false],
  [{ eventName: ["INSERT"], n: [2] }, false],
  [{ n: [1], none: [{ exists: false }] }, true],
  [{ deep: { M: { id: [{ exists: true }] } } }, true],
  [{ deep: { M: { other: [{ exists: true }] } } }, false],
  [{ nothing: { M: { id: [{ exists: true }] } } }, false],
  [{ deep: { M: { id: [{ prefix: "x-" }] } } }, true],
  [{ deep: { M: { id: [{ suffix: "x-" }] } } }, false],
  [{ n: [{ prefix: "1" }] }, false],
  [{ eventName: [{ "anything-but": ["REMOVE", "MODIFY"] }] }, true],
  [{ eventName: [{ "anything-but": "INSERT" }] }, false],
  [{ none: [{ "anything-but": "INSERT" }] }, false],
])("the filter %j", (pattern, matches) => {
  const event = { eventName: "INSERT", n: 1, deep: { M: { id: "x-1" } } };
  expect(matchesPattern(pattern, event)).toBe(matches);
});

test("a filter that is not known here is refused, and so is a stream of no table", () => {
  expect(() => matchesPattern({ n: [{ numeric: [">", 1] }] }, { n: 2 })).toThrow(TypeError);
  const resources = { NotesTable: { Type: "AWS::DynamoDB::Table", Properties: { TableName: "notes" } } };
  const functions = { mail: { events: [{ stream: source }] }, movies: {} };
  expect(listFeeds(functions, resources)).toEqual([
    { functionName: "mail", tableName: "notes", event: source },
  ]);
  expect(() => listFeeds(functions, {})).toThrow(TypeError);
});
