import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { clock } from "../support/clock.ts";
import type { App } from "./apps.ts";

/** Builds `next/` for production and starts it, with the time of the tests. Throws if it cannot be built. */
export async function startNext(issuer: string): Promise<App> {
  const build = runNext([], "build", issuer);
  build.stdout.resume();
  const [code] = await once(build, "exit");
  if (code !== 0) throw new Error("next build failed");
  const held = ["--import", resolve("tests/support/held-clock.mjs")];
  const server = runNext(held, "start --hostname 127.0.0.1 --port 0", issuer);
  return {
    url: await findUrl(server.stdout),
    async stop() {
      server.kill("SIGTERM");
      await once(server, "exit");
    },
  };
}

function runNext(options: string[], command: string, issuer: string) {
  const { PATH = "", HOME = "" } = process.env;
  const settings = { NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: "production", ISSUER: issuer } as const;
  const next = resolve("tests/packages/node_modules/next/dist/bin/next");
  return spawn(process.execPath, [...options, next, ...command.split(" ")], {
    cwd: resolve("tests/packages/next"),
    env: { PATH, HOME, HELD_TIME: `${clock.now}`, ...settings },
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** Waits until a server says where it listens, and that it is ready. */
async function findUrl(output: AsyncIterable<Buffer> & { resume(): unknown }): Promise<string> {
  let said = "";
  for await (const chunk of output) {
    said += chunk;
    const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(said) ?? [];
    if (url && said.includes("Ready")) return url;
  }
  throw new Error(said);
}
