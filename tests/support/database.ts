import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocument } from "@aws-sdk/lib-dynamodb";
import { createTables } from "../../local/tables.ts";
import type { Answer } from "../../local/wire.ts";
import { declared, toTable } from "./declared.ts";

const resources = declared.resources.Resources;

/** The declared tables by what they hold: `users` is the resource UsersTable. */
export const tableNames = Object.fromEntries(
  Object.entries(resources).flatMap(([id, { Type, Properties }]) =>
    Type === "AWS::DynamoDB::Table" ? [[toTable(id), (Properties as { TableName: string }).TableName]] : [],
  ),
) as { users: string; identities: string; sessions: string; attempts: string };

export type TableName = string;

/** The name of a table by what it holds. Throws TypeError if there is none. */
export function nameOf(table: TableName): string {
  const name = (tableNames as Record<TableName, string>)[table];
  if (name === undefined) throw new TypeError(`there is no table of ${table}`);
  return name;
}

export type Key = Record<string, string>;

/** An item as the table holds it. */
// biome-ignore lint/suspicious/noExplicitAny: tests look at single attributes
export type Item = Record<string, any>;

/** An embedded DynamoDB with the tables of serverless.yml, and a way past the service to its items. */
export type Database = Awaited<ReturnType<typeof startDatabase>>;

/** Starts an embedded DynamoDB in memory, in a thread of its own, and creates the tables. */
export async function startDatabase() {
  const engine = new Worker(new URL("./engine-thread.ts", import.meta.url));
  const [endpoint] = (await once(engine, "message")) as [string];
  const waiting = new Map<number, PromiseWithResolvers<Answer>>();
  let requests = 0;
  let isGone = false;
  engine.on("message", ({ id, answer }: { id: number; answer: Answer }) => {
    waiting.get(id)?.resolve(answer);
    waiting.delete(id);
  });
  engine.once("exit", () => {
    isGone = true;
    for (const { reject } of waiting.values()) reject(new Error("the engine has ended"));
    waiting.clear();
  });
  // Where all tests of a file are filtered out, nobody stops it.
  engine.unref();
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const client = new DynamoDBClient({ endpoint, region: "eu-central-1", credentials });
  await createTables(client, resources);
  const documents = DynamoDBDocument.from(client);
  return {
    endpoint,
    /** The way past the service. */
    documents,

    /** Hands a request on as it came: `target` is its header X-Amz-Target, `text` its body. */
    async deliver(target: string, text: string): Promise<Answer> {
      if (isGone) throw new Error("the engine has ended");
      const answer = Promise.withResolvers<Answer>();
      const id = ++requests;
      waiting.set(id, answer);
      engine.postMessage({ id, target, text });
      return answer.promise;
    },

    async find(table: TableName, key: Key): Promise<Item | undefined> {
      return (await documents.get({ TableName: nameOf(table), Key: key, ConsistentRead: true })).Item;
    },

    /** Writes an item over whatever was there. */
    async put(table: TableName, item: Item): Promise<void> {
      await documents.put({ TableName: nameOf(table), Item: item });
    },

    /** Writes many items over whatever was there. */
    async putAll(table: TableName, items: Item[]): Promise<void> {
      for (let start = 0; start < items.length; start += 25) {
        const requests = items.slice(start, start + 25).map((Item) => ({ PutRequest: { Item } }));
        await documents.batchWrite({ RequestItems: { [nameOf(table)]: requests } });
      }
    },

    async scan(table: TableName): Promise<Item[]> {
      return (await documents.scan({ TableName: nameOf(table) })).Items ?? [];
    },

    /** Sets or (with undefined) removes attributes of an item. */
    async change(table: TableName, key: Key, attributes: Item): Promise<void> {
      const updates = Object.entries(attributes).map(([name, Value]) => {
        return [name, Value === undefined ? { Action: "DELETE" } : { Action: "PUT", Value }];
      });
      const AttributeUpdates = Object.fromEntries(updates);
      await documents.update({ TableName: nameOf(table), Key: key, AttributeUpdates });
    },

    /** Deletes an item, as the TTL of DynamoDB would. */
    async delete(table: TableName, key: Key): Promise<void> {
      await documents.delete({ TableName: nameOf(table), Key: key });
    },

    async sessionsOf(userId: string): Promise<Item[]> {
      const query = {
        TableName: tableNames.sessions,
        KeyConditionExpression: "userId = :userId",
        ExpressionAttributeValues: { ":userId": userId },
        ConsistentRead: true,
      };
      return (await documents.query(query)).Items ?? [];
    },

    async stop(): Promise<void> {
      client.destroy();
      await engine.terminate();
    },
  };
}
