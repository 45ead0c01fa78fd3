import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { programsOnly } from "./doors.ts";
import { startDynalite } from "./dynalite-engine.ts";
import { startDynoxide } from "./dynoxide-engine.ts";
import { contentType, type Deliver } from "./wire.ts";

/** The embedded engines: how each is started, in memory or kept under `path`. */
const engines = {
  /** JavaScript, runs everywhere. */
  dynalite: startDynalite,
  /** A binary for Linux on x64, which npm leaves out elsewhere. */
  dynoxide: startDynoxide,
};

export type EngineName = keyof typeof engines;

/** A running embedded DynamoDB: its address, and a way to it without HTTP. */
export interface Engine {
  deliver: Deliver;
  endpoint: string;
  stop(): Promise<void>;
}

/** Parses the name of an embedded engine. Throws TypeError if there is none of that name. */
export function parseEngineName(text = "dynalite"): EngineName {
  if (!Object.hasOwn(engines, text))
    throw new TypeError(`"${text}" is no engine. There are: ${Object.keys(engines).join(", ")}`);
  return text as EngineName;
}

/** Starts an embedded DynamoDB on localhost: in memory, or kept in the folder `path`; port 0 picks a free one. */
export async function startEngine({
  name = "dynalite",
  port = 0,
  path,
}: {
  name?: EngineName;
  port?: number;
  path?: string;
} = {}): Promise<Engine> {
  const { deliver, server = createServer(), stop } = await engines[name](path);
  server.on("request", async (request, response) => {
    if (!programsOnly(request, response)) return;
    const { status, body } = await deliver(String(request.headers["x-amz-target"]), await text(request));
    response.writeHead(status, { "content-type": contentType }).end(body);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    deliver,
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await stop?.();
    },
  };
}
