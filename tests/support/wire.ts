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
    const [tableName] = Object.keys(parameters.RequestItems ?? { [parameters.TableName]: undefined });
    const [table] = Object.entries(tableNames).find(([, name]) => name === tableName) ?? [];
    return {
      name: `${target.split(".")[1]} ${table}`,
      parameters,
      async deliver(changed) {
        const answer = await database.deliver(target, changed ? JSON.stringify(changed) : text);
        keepStoredSecrets(answer.body);
        return answer;
      },
    };
  });
}

/** Hashes and salts go to and from the tables only. */
function keepStoredSecrets(text: string): void {
  for (const [, value] of text.matchAll(/"S":"([\w-]{43}|\$argon2[^"]*)"/g)) keepSecrets(value);
}
