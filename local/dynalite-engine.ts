import { EventEmitter } from "node:events";
import { mkdirSync } from "node:fs";
import type { Server } from "node:http";
import { createRequire } from "node:module";
import dynalite from "dynalite";
import { putDoor } from "./engine-door.ts";
import { folderInUse } from "./folder-in-use.ts";
import { type Answer, type Core, type Deliver, sign } from "./wire.ts";

/** Starts dynalite in this process, in memory or kept in the folder `path`, with what it lacks. */
export async function startDynalite(path?: string): Promise<Core> {
  if (path) await assertUnused(path);
  const server = dynalite({ ...(path && { path }), createTableMs: 0 });
  const deliver = putDoor(passTo(server));
  // It closes the folder with its own server, if that has listened.
  return { deliver, server: server.removeAllListeners("request") };
}

/** dynalite sees what it would of an HTTP request, at a fraction of the time. */
function passTo(server: Server): Deliver {
  const [listener] = server.listeners("request");
  return (target, body) => {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const request = Object.assign(new EventEmitter(), {
      method: "POST",
      url: "/",
      headers: sign(target),
    });
    const response = {
      statusCode: 200,
      setHeader() {},
      end: (sent = "") => resolve({ status: response.statusCode, body: String(sent) }),
    };
    listener?.(request, response);
    request.emit("data", Buffer.from(body));
    request.emit("end");
    return promise;
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
    if (cause?.code === "LEVEL_LOCKED") throw folderInUse(path, error);
    throw error;
  }
  await db.close();
}
