import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** What a route asked of DynamoDB. */
export interface Usage {
  /** Names of the requests, like `UpdateItem`. */
  requests: string[];
  /** Request units, as the engine computes them from the sizes of the items. */
  readUnits: number;
  writeUnits: number;
}

/** A proxy that counts. */
export type Meter = Awaited<ReturnType<typeof startMeter>>;

const reads = ["GetItem", "Query", "BatchGetItem"];

/** Of an item of up to 1 KB in a transaction; the engine does not say it. */
const transactedUnits = 2;

/** Starts a proxy before an engine that counts what passes, and asks the engine to say what each request consumes. */
export async function startMeter(endpoint: string) {
  let usage: Usage = { requests: [], readUnits: 0, writeUnits: 0 };

  const server = createServer(async (incoming, outgoing) => {
    const target = String(incoming.headers["x-amz-target"]);
    const parameters = JSON.parse(await text(incoming));
    const { host, "content-length": _, ...headers } = incoming.headers;
    const answer = await fetch(endpoint, {
      method: "POST",
      headers: headers as Record<string, string>,
      body: JSON.stringify({ ...parameters, ReturnConsumedCapacity: "TOTAL" }),
    });
    const body = await answer.text();
    const name = target.split(".")[1] ?? "";
    const transacted = (parameters.TransactItems ?? []).map(() => ({ CapacityUnits: transactedUnits }));
    count(name, [JSON.parse(body).ConsumedCapacity ?? [], transacted].flat());
    outgoing.writeHead(answer.status, { "content-type": "application/x-amz-json-1.0" }).end(body);
  });
  server.unref().listen(0, "127.0.0.1");
  await once(server, "listening");

  function count(name: string, consumed: { CapacityUnits: number }[]) {
    const units = consumed.reduce((sum, { CapacityUnits }) => sum + CapacityUnits, 0);
    usage.requests.push(name);
    if (reads.includes(name)) usage.readUnits += units;
    else usage.writeUnits += units;
  }

  return {
    /** What the service takes for DynamoDB's URL. */
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,

    /** What was used since the last look. */
    take(): Usage {
      const taken = usage;
      usage = { requests: [], readUnits: 0, writeUnits: 0 };
      return taken;
    },
  };
}
