import { afterAll, expect, test } from "@jest/globals";
import "./accounts/stand-ins.ts";
import type { Tools } from "./accounts/run.ts";
import type { Outcomes } from "./accounts/world.ts";
import { type Answer, execute, type Item, keyText } from "./memory-table.ts";

// The model of accounts runs over tables in memory; here they stand beside the engine, for every request of its scenarios
// and the repetition of each.
Object.assign(process.env, {
  AWS_REGION: "eu-central-1",
  AWS_ACCESS_KEY_ID: "t",
  AWS_SECRET_ACCESS_KEY: "t",
});

const { drawAs } = await import("./accounts/stand-ins.ts");
const { createDynamoDB } = await import("../../lib/dynamodb.ts");
const { nameOf, startDatabase } = await import("../support/database.ts");
const { keys, startedAt } = await import("./accounts/world.ts");
const { scenarios } = await import("./accounts/scenarios.ts");

const database = await startDatabase();
const dynamodb = createDynamoDB({ dynamodbEndpoint: database.endpoint, dynamodbTimeoutMs: 10_000 });
afterAll(async () => {
  dynamodb.destroy();
  await database.stop();
});

const tableNames = Object.keys(keys);

test.each(scenarios)(
  "the models' tables answer and hold what the engine's do: $name",
  async ({ tables: start, requests }) => {
    let tables = start;
    for (const table of tableNames) {
      for (const item of Object.values(await readAll(table)))
        await database.delete(table, keyOf(table, item));
      await database.putAll(table, Object.values(start[table] ?? {}));
    }

    /** Sends a command to both, and compares what they say. */
    async function send(command: { input: object; constructor: { name: string } }): Promise<unknown> {
      const { input } = command;
      const executed = execute(tables, keys, { name: command.constructor.name, input });
      // The engine has other names of tables.
      Object.assign(command, { input: rename(input) });
      const answer = await dynamodb.send(command as never).then(
        (output) => ({ output: { ...output } }),
        (error) => ({ error }),
      );
      expect(comparable(answer)).toEqual(comparable(executed.answer));
      tables = executed.tables;
      if ("error" in executed.answer) throw Object.assign(new Error(), executed.answer.error);
      return executed.answer.output;
    }

    const outcomes: Outcomes = {};
    for (const attempt of [1, 2])
      for (const { name, program } of requests) {
        drawAs(`${name}/${attempt}`);
        const tools = { client: { send }, now: startedAt } as unknown as Tools;
        const outcome = await program(outcomes).run(tools);
        outcomes[name] ??= outcome;
        for (const table of tableNames) expect(await readAll(table)).toEqual(tables[table]);
      }
  },
);

async function readAll(table: string): Promise<Record<string, Item>> {
  const items = await database.scan(table);
  return Object.fromEntries(items.map((item) => [keyText(keys, table, item), item]));
}

function keyOf(table: string, item: Item): Record<string, string> {
  return Object.fromEntries((keys[table] ?? []).map((name) => [name, String(item[name])]));
}

/** The engine has other names of tables, and a set of strings stays one. */
function rename(input: unknown): unknown {
  if (typeof input !== "object" || input === null || input instanceof Set) return input;
  if (Array.isArray(input)) return input.map(rename);
  const renamed = Object.entries(input).map(([name, value]) => [
    tableNames.includes(name) ? nameOf(name) : name,
    name === "TableName" ? nameOf(value) : rename(value),
  ]);
  return Object.fromEntries(renamed);
}

/** What the use cases look at. */
function comparable(answer: Answer) {
  if ("output" in answer) {
    const { Item, Items, Attributes } = answer.output;
    return { Item, Items, Attributes };
  }
  const { name, Item, CancellationReasons } = answer.error;
  const reasons = (CancellationReasons as Item[] | undefined)?.map(({ Code, Item }) => ({ Code, Item }));
  return { name, Item, reasons };
}
