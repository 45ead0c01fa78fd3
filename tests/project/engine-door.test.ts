import { setImmediate } from "node:timers/promises";
import { afterAll, describe, expect, test } from "@jest/globals";
import { type Item, startDatabase, tableNames } from "../support/database.ts";
import { sendLocally } from "../support/local-request.ts";

// What AWS's DynamoDB has and dynalite lacks is added at the door of local/engine-door.ts.
const database = await startDatabase();
afterAll(() => database.stop());

const TableName = tableNames.attempts;
const key = (id: string) => ({ id: { S: id } });

async function send(operation: string, parameters: object) {
  const { status, body } = await database.deliver(
    `DynamoDB_20120810.${operation}`,
    JSON.stringify({ TableName, ...parameters }),
  );
  return { status, ...JSON.parse(body) };
}

const condition = { ConditionExpression: "attribute_not_exists(id)" };
const asking = { ReturnValuesOnConditionCheckFailure: "ALL_OLD" };

/** Three operations that refuse to touch an item. */
const refusing = (id: string): [operation: string, parameters: object][] => [
  ["PutItem", { ...condition, Item: { ...key(id), count: { N: "9" } } }],
  ["DeleteItem", { ...condition, Key: key(id) }],
  ["UpdateItem", { ...condition, Key: key(id), UpdateExpression: "REMOVE expiresAt" }],
];

test("S08 a failed condition brings the old item along where it was asked for, and only there", async () => {
  const item = { ...key("old"), count: { N: "1" } };
  await send("PutItem", { Item: item });
  for (const [operation, parameters] of refusing("old")) {
    expect(await send(operation, { ...parameters, ...asking })).toMatchObject({ status: 400, Item: item });
    expect(await send(operation, parameters)).not.toHaveProperty("Item");
  }
  const absent = { Key: key("none"), ConditionExpression: "attribute_exists(id)", ...asking };
  expect(await send("DeleteItem", absent)).not.toHaveProperty("Item");
});

test("of many that race for an item one wins, and each of the others sees the winner's", async () => {
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      send("PutItem", { ...condition, ...asking, Item: { ...key("race"), count: { N: String(index) } } }),
    ),
  );
  const winner = answers.findIndex(({ status }) => status === 200);
  const seen = answers.flatMap(({ status, Item }) => (status === 200 ? [] : [Item.count.N]));
  expect(seen).toEqual(Array(49).fill(String(winner)));
});

describe("its port is for programs", () => {
  const target = { "x-amz-target": "DynamoDB_20120810.ListTables" };
  const call = (headers: object) =>
    sendLocally(database.endpoint, { ...target, ...headers }, { method: "POST", body: "{}" });

  test.each([
    ["origin", "https://evil.example"],
    ["origin", "null"],
    ["sec-fetch-site", "same-origin"],
    ["sec-fetch-dest", "image"],
    // A page whose own name leads here (DNS rebinding): to its browser that is no other origin.
    ["host", "evil.example"],
    ["host", "evil.example:8000"],
    ["host", "localhost.evil.example"],
    ["host", "evil-localhost"],
    ["host", "127.0.0.1.evil.example:80"],
    ["host", "localhost@evil.example"],
  ])("it is closed to pages of the web, which can reach it: %s %s", async (name, value) => {
    const refused = await call({ [name]: value });
    expect([refused.status, await refused.text()]).toEqual([403, ""]);
    expect(refused.headers.get("access-control-allow-origin")).toBeNull();
  });

  test.each(["localhost", "LocalHost:8000", "127.0.0.1", "127.0.0.1:8000", "[::1]", "[::1]:8000"])(
    "it is open to who calls it %s",
    async (host) => {
      const answer = await call({ host });
      expect(await answer.json()).toEqual({ TableNames: expect.arrayContaining([TableName]) });
    },
  );
});

test("what is no operation of DynamoDB is refused as DynamoDB would", async () => {
  expect(await database.deliver("Nothing.AtAll", "{}")).toMatchObject({ status: 400 });
});

test.each(["null", "5", '"text"', "[]", "{", ""])(
  "a body of %s is refused, and the engine goes on",
  async (body) => {
    expect(await database.deliver("DynamoDB_20120810.GetItem", body)).toMatchObject({ status: 400 });
  },
);

test("a table that is made after the first write to it has its keys", async () => {
  const later = { TableName: "made-later", Item: key("x") };
  expect(await send("PutItem", later)).toMatchObject({ status: 400 });
  const [name, keyType] = ["id", "HASH"];
  await send("CreateTable", {
    TableName: later.TableName,
    KeySchema: [{ AttributeName: name, KeyType: keyType }],
    AttributeDefinitions: [{ AttributeName: name, AttributeType: "S" }],
    BillingMode: "PAY_PER_REQUEST",
  });
  const isActive = async () => (await send("DescribeTable", later)).Table.TableStatus === "ACTIVE";
  while (!(await isActive())) await setImmediate();
  expect(await send("PutItem", later)).toMatchObject({ status: 200 });
  expect(await send("PutItem", { ...later, ...condition, ...asking })).toMatchObject({
    status: 400,
    Item: key("x"),
  });
});

const transact = (items: object[], more: object = {}) =>
  send("TransactWriteItems", {
    TransactItems: items.map((item) =>
      Object.fromEntries(
        Object.entries(item).map(([kind, parameters]) => [kind, { TableName, ...parameters }]),
      ),
    ),
    ...more,
  });
const put = (id: string, count: string, more = {}) => ({
  Put: { Item: { ...key(id), count: { N: count } }, ...more },
});
const exists = { ConditionExpression: "attribute_exists(id)" };
const find = async (id: string) => (await send("GetItem", { Key: key(id), ConsistentRead: true })).Item;
const none = { Code: "None" };
const failed = { Code: "ConditionalCheckFailed", Message: "The conditional request failed" };

test("a transaction of all four kinds writes all of it", async () => {
  for (const id of ["t-update", "t-delete", "t-check"]) await send("PutItem", put(id, "1").Put);
  const answer = await transact([
    put("t-put", "2", condition),
    {
      Update: {
        Key: key("t-update"),
        UpdateExpression: "ADD #count :one",
        ExpressionAttributeNames: { "#count": "count" },
        ExpressionAttributeValues: { ":one": { N: "1" } },
      },
    },
    { Delete: { Key: key("t-delete"), ...exists } },
    { ConditionCheck: { Key: key("t-check"), ...exists } },
    { ConditionCheck: { Key: key("t-none"), ...condition } },
  ]);
  expect(answer).toEqual({ status: 200 });
  const items = await Promise.all(["t-put", "t-update", "t-delete", "t-check", "t-none"].map(find));
  expect(items.map((item) => item?.count.N)).toEqual(["2", "2", undefined, "1", undefined]);
});

test("one failed condition: nothing of a transaction is written, and each member has its reason", async () => {
  const item = put("c-old", "1").Put.Item;
  await send("PutItem", { Item: item });
  const answer = await transact([
    put("c-old", "5"),
    put("c-new", "5"),
    { Delete: { Key: key("c-none"), ...exists, ...asking } },
    { ConditionCheck: { Key: key("c-gone"), ...exists } },
  ]);
  expect(answer).toMatchObject({
    status: 400,
    __type: "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
    Message: expect.stringContaining("[None, None, ConditionalCheckFailed, ConditionalCheckFailed]"),
  });
  expect(answer.CancellationReasons).toEqual([none, none, failed, failed]);
  expect([await find("c-old"), await find("c-new")]).toEqual([item, undefined]);
});

test("S08 the reason brings the old item along where it was asked for", async () => {
  const item = put("r-old", "1").Put.Item;
  await send("PutItem", { Item: item });
  const answer = await transact([
    { ConditionCheck: { Key: key("r-old"), ...condition, ...asking } },
    { Delete: { Key: key("r-other"), ...condition, ...asking } },
  ]);
  expect(answer.CancellationReasons).toEqual([{ ...failed, Item: item }, none]);
});

test.each<[what: string, items: object[], type: string]>([
  ["the same item twice", [put("v", "1"), { Delete: { Key: key("v") } }], "ValidationException"],
  ["no member", [], "ValidationException"],
  ["a member of no kind", [put("v", "1"), { Get: { Key: key("v") } }], "ValidationException"],
  [
    "an expression that is none",
    [put("v", "1"), { Update: { Key: key("w"), UpdateExpression: "ROTATE x" } }],
    "TransactionCanceledException",
  ],
  [
    "a table that is not there",
    [put("v", "1"), { Delete: { TableName: "nothing", Key: key("w") } }],
    "ResourceNotFoundException",
  ],
])("a transaction with %s is refused whole", async (_, items, type) => {
  const answer = await transact(items);
  expect(answer).toMatchObject({ status: 400, __type: expect.stringMatching(`#${type}$`) });
  expect(await find("v")).toBeUndefined();
});

test("what comes twice with one token is done once; other contents under it are refused", async () => {
  const add = (amount: string) => [
    {
      Update: {
        Key: key("token"),
        UpdateExpression: "ADD #count :amount",
        ExpressionAttributeNames: { "#count": "count" },
        ExpressionAttributeValues: { ":amount": { N: amount } },
      },
    },
  ];
  const token = { ClientRequestToken: "a-token" };
  const answers = await Promise.all([transact(add("1"), token), transact(add("1"), token)]);
  expect(answers).toEqual([{ status: 200 }, { status: 200 }]);
  expect(await transact(add("2"), token)).toMatchObject({
    status: 400,
    __type: expect.stringMatching(/#IdempotentParameterMismatchException$/),
  });
  expect((await find("token")).count).toEqual({ N: "1" });
  await transact(add("1"), { ClientRequestToken: "another" });
  expect((await find("token")).count).toEqual({ N: "2" });
});

test("transactions, single writes and batches of the same items come one after the other", async () => {
  const ids = ["q-1", "q-2", "q-3"];
  const batch = (count: string) => ({
    RequestItems: { [TableName]: ids.map((id) => ({ PutRequest: put(id, count).Put })) },
  });
  await send("BatchWriteItem", batch("0"));
  const raise = (id: string, from: number, by = 1) => ({
    Key: key(id),
    UpdateExpression: "ADD #count :by",
    ConditionExpression: "#count >= :from",
    ExpressionAttributeNames: { "#count": "count" },
    ExpressionAttributeValues: { ":by": { N: String(by) }, ":from": { N: String(from) } },
  });
  const isEven = async () => {
    const { Items } = await send("Scan", {});
    const counts = Items.filter(({ id }: Item) => ids.includes(id.S)).map(({ count }: Item) => count.N);
    return new Set(counts).size === 1;
  };
  const seen = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      // Each of the three has another order, and the last of every second one a condition that never holds.
      const order = ids.map((_, place) => ids[(place + index) % 3] as string);
      const impossible = index % 2 === 0 ? 0 : 1_000;
      const { status } = await transact(
        order.map((id, place) => ({ Update: raise(id, place === 2 ? impossible : 0) })),
      );
      return [status, await isEven()];
    }),
  );
  expect(seen).toEqual(seen.map((_, index) => [index % 2 === 0 ? 200 : 400, true]));
  expect((await find("q-1")).count.N).toBe("10");
  // What a refused transaction takes back is never what another has written meanwhile.
  const refused = () => transact(ids.map((id, place) => ({ Update: raise(id, place === 2 ? 1_000 : 0) })));
  await Promise.all([refused(), send("BatchWriteItem", batch("50")), refused()]);
  await Promise.all([refused(), send("UpdateItem", raise("q-1", 0)), refused()]);
  expect((await Promise.all(ids.map(find))).map(({ count }) => count.N)).toEqual(["51", "50", "50"]);
});
