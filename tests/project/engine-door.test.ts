import { setImmediate } from "node:timers/promises";
import { afterAll, expect, test } from "@jest/globals";
import { startDatabase, tableNames } from "../support/database.ts";

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

test("it is closed to pages of the web, which can reach a port of one's own machine", async () => {
  const headers = { "x-amz-target": "DynamoDB_20120810.ListTables" };
  const request = { method: "POST", body: "{}" };
  for (const [name, value] of [
    ["origin", "https://evil.example"],
    ["origin", "null"],
    ["sec-fetch-site", "same-origin"],
    ["sec-fetch-dest", "image"],
  ] as const) {
    const refused = await fetch(database.endpoint, { ...request, headers: { ...headers, [name]: value } });
    expect([refused.status, await refused.text()]).toEqual([403, ""]);
    expect(refused.headers.get("access-control-allow-origin")).toBeNull();
  }
  const answer = await fetch(database.endpoint, { ...request, headers });
  expect(await answer.json()).toEqual({ TableNames: expect.arrayContaining([TableName]) });
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
