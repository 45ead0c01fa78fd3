import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** What a runtime says of one invocation, or of its start. */
export interface Outcome {
  kind: "response" | "error";
  payload: unknown;
}

/**
 * Starts a Runtime API on loopback for one sandbox
 * (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html): hands out invocations and takes what comes of them.
 */
export async function startRuntimeApi({ timeoutSeconds }: { timeoutSeconds: number }) {
  const waiting: string[] = [];
  const running = new Map<string, (outcome: Outcome) => void>();
  const failedStart = Promise.withResolvers<Outcome>();
  let idle: ServerResponse | undefined;

  const server = createServer(async (incoming, outgoing) => {
    const [, , , kind, id = "", verb] = (incoming.url ?? "").split("/");
    const body = await text(incoming);
    if (id === "next") {
      idle = outgoing;
      return handOut();
    }
    const outcome = { kind: verb === "response" ? "response" : "error", payload: JSON.parse(body) } as const;
    if (kind === "init") failedStart.resolve({ kind: "error", payload: outcome.payload });
    else running.get(id)?.(outcome);
    outgoing.writeHead(202, { "content-type": "application/json" }).end('{"status":"OK"}');
  });

  function handOut(): void {
    const event = idle && waiting.shift();
    if (!event) return;
    const id = event.slice(0, 36);
    idle?.writeHead(200, {
      "content-type": "application/json",
      "lambda-runtime-aws-request-id": id,
      "lambda-runtime-deadline-ms": String(Date.now() + timeoutSeconds * 1_000),
      "lambda-runtime-invoked-function-arn": "arn:aws:lambda:eu-central-1:123456789012:function:any",
      "lambda-runtime-trace-id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0",
    });
    idle?.end(event.slice(36));
    idle = undefined;
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  return {
    /** For AWS_LAMBDA_RUNTIME_API. */
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,

    /** What the runtime said of a start that failed. */
    failedStart: failedStart.promise,

    /** Hands an event to the sandbox and waits for what comes of it. */
    async invoke(event: unknown): Promise<Outcome> {
      const id = randomUUID();
      const { promise, resolve } = Promise.withResolvers<Outcome>();
      running.set(id, resolve);
      waiting.push(id + JSON.stringify(event));
      handOut();
      return promise;
    },

    /** Ends the server. */
    async stop(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
