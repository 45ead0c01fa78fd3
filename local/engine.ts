import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import dynalite from "dynalite";
import { type Deliver, putDoor } from "./engine-door.ts";

/** A running embedded DynamoDB: its address, and a way to it without HTTP. */
export type Engine = { endpoint: string; deliver: Deliver; stop(): Promise<void> };

/** Starts an embedded DynamoDB on localhost: in memory, or kept in the folder `path`; port 0 picks a free one. */
export async function startEngine({
  port = 0,
  path,
}: {
  port?: number;
  path?: string;
} = {}): Promise<Engine> {
  if (path) await assertUnused(path);
  const server = dynalite({ ...(path && { path }), createTableMs: 0 });
  const deliver = putDoor(server);
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    deliver,
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Throws if another process has the folder open: dynalite would crash at its first request, and not say why. */
async function assertUnused(path: string): Promise<void> {
  mkdirSync(path, { recursive: true });
  const { Level } = createRequire(createRequire(import.meta.url).resolve("dynalite"))("level");
  const db = new Level(path);
  try {
    await db.open();
  } catch (error) {
    const { cause } = error as { cause?: { code?: string } };
    if (cause?.code === "LEVEL_LOCKED")
      throw new Error(
        `The folder ${path} is in use. End the other process, or choose another: LOCAL_DIR=<folder>`,
        { cause: error },
      );
    throw error;
  }
  await db.close();
}
