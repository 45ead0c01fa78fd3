import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { Answer } from "../../local/wire.ts";
import { callerOf } from "./caller.ts";
import type { Item } from "./database.ts";
import type { Permission } from "./declared.ts";
import { usePermission } from "./permissions.ts";

/** One request that the service sent to AWS. */
export interface WireRequest {
  /** Like `UpdateItem sessions`. */
  name: string;
  /** Who sent it, where a test gave sandboxes endpoints with a path. */
  path: string;
  /** The parameters, attribute values in DynamoDB's own JSON. */
  parameters: Item;
  /** Which attempt of the SDK it is, from 1; what they have in common is their call's invocationId. */
  attempt: number;
  invocationId: string;
  isApplied: boolean;
  /** Settles when its sender does not wait for a response any more. */
  abandoned(): Promise<unknown>;
  /** Delivers the request, or one more copy of it; with other parameters where a test gives some. */
  deliver(changed?: Item): Promise<Answer>;
}

/** What happens to a request on its way: a response, or undefined when the connection breaks. */
export type Fault = (request: WireRequest) => Promise<Answer | undefined>;

/** What a server makes of a request: its name, its parameters, and how it is answered. */
type Open = (
  target: string,
  body: string,
) => {
  name: string;
  /** What its sender must be allowed; its name, if that says nothing else. */
  permissions?: Permission[];
  parameters: Item;
  deliver: (changed?: Item) => Promise<Answer>;
};

const denial = "com.amazon.coral.service#AccessDeniedException";
const writes = /^(?:(?:Put|Update|Delete)Item|TransactWriteItems) /;

/**
 * Starts a server on loopback that speaks the JSON protocol of an AWS service, records what it is asked, refuses a
 * function what its role does not allow, and breaks on demand.
 */
export async function startAwsServer(contentType: string, open: Open) {
  let requests: WireRequest[] = [];
  let rules: { name: string; left: number; fault: Fault }[] = [];

  const server = createServer(async (incoming, outgoing) => {
    const { headers, url = "/" } = incoming;
    const {
      name,
      permissions = [name],
      parameters,
      deliver,
    } = open(String(headers["x-amz-target"]), await text(incoming));
    const request: WireRequest = {
      name,
      path: url,
      parameters,
      attempt: Number(/attempt=(\d+)/.exec(String(headers["amz-sdk-request"]))?.[1]),
      invocationId: String(headers["amz-sdk-invocation-id"]),
      isApplied: false,
      abandoned: () => once(incoming.socket, "close"),
      async deliver(changed) {
        const answer = await deliver(changed);
        request.isApplied ||= answer.status === 200;
        return answer;
      },
    };
    requests.push(request);
    const caller = callerOf(incoming);
    if (caller && !permissions.map((each) => usePermission(caller, each)).every(Boolean)) {
      const message = `${caller} may not ${name}`;
      return void outgoing.writeHead(400).end(JSON.stringify({ __type: denial, message }));
    }
    const rule = rules.find((candidate) => candidate.left > 0 && name.startsWith(candidate.name));
    if (rule) rule.left--;
    const answer = await (rule ? rule.fault(request) : request.deliver()).catch(() => undefined);
    if (outgoing.destroyed) return;
    if (!answer) return void outgoing.destroy();
    // The clocks of the tests are elsewhere in time, and the SDK would repeat requests to make up for it.
    outgoing.sendDate = false;
    outgoing.writeHead(answer.status, { "content-type": contentType }).end(answer.body);
  });
  // Who waits for a response keeps the process alive; the server alone does not.
  server.on("connection", (socket) => socket.unref()).unref();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;

  return {
    endpoint: `http://127.0.0.1:${port}`,

    /** The requests since the last `forget`, in the order in which they arrived. */
    get requests(): readonly WireRequest[] {
      return requests;
    },
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

    mend(): void {
      rules = [];
    },
    forget(): void {
      requests = [];
    },
    /** Refuses connections until `reopen`. */
    async stop(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
    async reopen(): Promise<void> {
      await once(server.listen(port, "127.0.0.1"), "listening");
    },
  };
}
