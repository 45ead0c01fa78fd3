import { startAwsServer } from "./aws-server.ts";
import { type Database, tableNames } from "./database.ts";
import { keepSecrets } from "./log.ts";

export type { Fault, WireRequest } from "./aws-server.ts";

export type Wire = Awaited<ReturnType<typeof startWire>>;

/** Starts an HTTP proxy on loopback that records what the service sends to the engine, and breaks it on demand. */
export function startWire(database: Pick<Database, "deliver">) {
  return startAwsServer("application/x-amz-json-1.0", (target, text) => {
    keepStoredSecrets(text);
    const parameters = JSON.parse(text);
    const operation = String(target.split(".")[1]);
    const [tableName = parameters.TableName] = Object.keys(parameters.RequestItems ?? {});
    return {
      ...(parameters.TransactItems
        ? describeTransaction(operation, parameters.TransactItems)
        : { name: `${operation} ${tableOf(tableName)}` }),
      parameters,
      async deliver(changed) {
        const answer = await database.deliver(target, changed ? JSON.stringify(changed) : text);
        keepStoredSecrets(answer.body);
        return answer;
      },
    };
  });
}

/** `TransactWriteItems users identities`; its sender must be allowed each of its writes. */
function describeTransaction(operation: string, items: Record<string, { TableName: string }>[]) {
  const writes = items.flatMap((item) =>
    Object.entries(item).map(([kind, { TableName }]) => ({ kind, table: tableOf(TableName) })),
  );
  const tables = new Set(writes.map(({ table }) => table));
  return {
    name: [operation, ...tables].join(" "),
    permissions: writes.map(({ kind, table }) => `${kind}Item ${table}`),
  };
}

function tableOf(tableName: string): string {
  return String(Object.entries(tableNames).find(([, name]) => name === tableName)?.[0]);
}

/** Hashes and salts go to and from the tables only. */
function keepStoredSecrets(text: string): void {
  for (const [, value] of text.matchAll(/"S":"([\w-]{43}|\$argon2[^"]*)"/g)) keepSecrets(value);
}
