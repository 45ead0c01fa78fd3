import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { callerOf } from "./caller.ts";
import { type Answer, type Database, type Item, tableNames } from "./database.ts";
import { keepSecrets } from "./log.ts";
import { usePermission } from "./permissions.ts";

/** One request that the service sent to DynamoDB. */
export interface WireRequest {
  /** Like `UpdateItem sessions`. */
  name: string;
  /** Who sent it, where a test gave sandboxes endpoints with a path. */
  path: string;
  /** The parameters, attribute values in DynamoDB's own JSON. */
  parameters: Item;
  /** Which attempt of the SDK it is, from 1. */
  attempt: number;
  /** Names the call of the SDK: its attempts have it in common. */
  invocationId: string;
  /** It was applied: the engine answered 200. */
  isApplied: boolean;
  /** Delivers the request, or one more copy of it, to the engine; with other parameters where a test gives some. */
  deliver(changed?: Item): Promise<Answer>;
}

/** What happens to a request on its way: an answer, or undefined when the connection breaks. */
export type Fault = (request: WireRequest) => Promise<Answer | undefined>;

/** The way between the service and the engine, under the control of a test. */
export type Wire = Awaited<ReturnType<typeof startWire>>;

interface WireOptions {
  /** Where the requests end up. */
  database: Pick<Database, "deliver">;
  /** Adds the old item to a failed condition when it was asked for: DynamoDB does that, dynalite does not. */
  addsItems: boolean;
}

/** The body of AWS's answer to whoever lacks a permission. */
export const denied = JSON.stringify({ __type: "com.amazon.coral.service#AccessDeniedException" });
const writes = /^(?:Put|Update|Delete)Item /;

/** Starts an HTTP proxy on loopback that records what the service sends to the engine, and breaks it on demand. */
export async function startWire({ database, addsItems }: WireOptions) {
  let requests: WireRequest[] = [];
  let rules: { name: string; left: number; fault: Fault }[] = [];

  function parseRequest(incoming: IncomingMessage, text: string): WireRequest {
    const target = String(incoming.headers["x-amz-target"]);
    const parameters = JSON.parse(text) as Item;
    const [tableName] = Object.keys(parameters.RequestItems ?? { [parameters.TableName]: undefined });
    const [table] = Object.entries(tableNames).find(([, name]) => name === tableName) ?? [];
    const request: WireRequest = {
      name: `${target.split(".")[1]} ${table}`,
      path: incoming.url ?? "/",
      parameters,
      attempt: Number(/attempt=(\d+)/.exec(String(incoming.headers["amz-sdk-request"]))?.[1]),
      invocationId: String(incoming.headers["amz-sdk-invocation-id"]),
      isApplied: false,
      async deliver(changed) {
        const sent = changed ? JSON.stringify(changed) : text;
        const answer = await database.deliver(target, sent, { addsItems });
        keepStoredSecrets(answer.body);
        request.isApplied ||= answer.status === 200;
        return answer;
      },
    };
    return request;
  }

  const server = createServer(async (incoming, outgoing) => {
    const text = await textOf(incoming);
    keepStoredSecrets(text);
    const request = parseRequest(incoming, text);
    requests.push(request);
    const caller = callerOf(incoming);
    // What is not AWS may need one more read, where it does not return the item of a failed condition.
    if (caller && addsItems && !usePermission(caller, request.name))
      return void outgoing.writeHead(400).end(denied);
    const rule = rules.find(({ name, left }) => left > 0 && request.name.startsWith(name));
    if (rule) rule.left--;
    const answer = await (rule ? rule.fault(request) : request.deliver()).catch(() => undefined);
    if (outgoing.destroyed) return;
    if (!answer) return void outgoing.destroy();
    // The clocks of the tests are elsewhere in time, and the SDK would repeat requests to make up for it.
    outgoing.sendDate = false;
    outgoing.writeHead(answer.status, { "content-type": "application/x-amz-json-1.0" }).end(answer.body);
  });
  // Who waits for an answer keeps the process alive; the proxy alone does not.
  server.on("connection", (socket) => socket.unref()).unref();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  return {
    /** The URL that the service takes for DynamoDB's. */
    endpoint: `http://127.0.0.1:${port}`,

    /** The requests since the last `forget`, in the order in which they arrived. */
    get requests(): readonly WireRequest[] {
      return requests;
    },

    /** Their names. */
    get names(): string[] {
      return requests.map(({ name }) => name);
    },

    /** The names of the writes among them that were applied. */
    get appliedWrites(): string[] {
      return requests.filter(({ name, isApplied }) => isApplied && writes.test(name)).map(({ name }) => name);
    },

    /** Lets a fault befall the next requests whose name starts so: one, or as many as `times` says. */
    break(name: string, fault: Fault, { times = 1 } = {}): void {
      rules.push({ name, left: times, fault });
    },

    /** Takes back every fault. */
    mend(): void {
      rules = [];
    },

    /** Forgets the recorded requests. */
    forget(): void {
      requests = [];
    },

    /** Refuses connections until `reopen`. */
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },

    /** Takes connections again. */
    async reopen(): Promise<void> {
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
    },

    /** Ends the proxy. */
    async stop(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function textOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Hashes and salts go to and from the tables only. */
function keepStoredSecrets(text: string): void {
  for (const [, value] of text.matchAll(/"S":"([\w-]{43}|\$argon2[^"]*)"/g)) keepSecrets(value);
}
