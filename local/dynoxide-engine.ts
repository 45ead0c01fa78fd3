import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { type AddressInfo, createServer } from "node:net";
import { createInterface } from "node:readline";
import { folderInUse } from "./folder-in-use.ts";
import { type Core, deliverTo } from "./wire.ts";

/**
 * Starts dynoxide as a process of its own, in memory or kept in the folder `path`. It has all that the service uses of
 * DynamoDB, streams and transactions included.
 */
export async function startDynoxide(path?: string): Promise<Core> {
  const { child, exit, endpoint } = await run(findBinary(), path);
  return {
    deliver: deliverTo(endpoint),
    async stop() {
      child.stdin.end();
      await exit;
    },
  };
}

function findBinary(): string {
  try {
    return createRequire(import.meta.url).resolve("@dynoxide/linux-x64/dynoxide");
  } catch (cause) {
    throw new Error("dynoxide is not installed: npm has it for Linux on x64 only.", { cause });
  }
}

const locked = 75;

/**
 * By itself the binary would outlive this process, and let a second one open its file: it runs until its standard input
 * closes, and holds a lock.
 */
const script = `
if [ -n "$LOCK" ]; then exec 9> "$LOCK" && flock --nonblock 9 || exit ${locked}; fi
exec 3<&0
"$0" "$@" 3<&- &
engine=$!
{ cat <&3; kill $engine; } > /dev/null 2>&1 9>&- &
wait $engine`;

/** It would answer any page of the web: it listens where none looks, at one of 16 million addresses of this machine. */
const pickHost = () => `127.${randomInt(256)}.${randomInt(256)}.${randomInt(1, 255)}`;

async function run(binary: string, path: string | undefined) {
  if (path) mkdirSync(path, { recursive: true });
  const file = path ? ["--db-path", `${path}/tables.db`] : [];
  // Another process may take the port that was free: then it says so, and the next one is tried.
  for (let attempt = 1; ; attempt++) {
    const host = pickHost();
    const port = String(await findFreePort(host));
    const child = spawn("sh", ["-c", script, binary, "serve", "--host", host, "--port", port, ...file], {
      env: { ...process.env, LOCK: path && `${path}/lock` },
      stdio: ["pipe", "ignore", "pipe"],
    });
    const exit = once(child, "exit");
    const [said] = await Promise.race([once(createInterface(child.stderr), "line"), exit]);
    if (String(said).includes("listening on")) return { child, exit, endpoint: `http://${host}:${port}` };
    if (said === locked && path) throw folderInUse(path);
    if (attempt === 5) throw new Error(`dynoxide does not start: ${said}`);
  }
}

async function findFreePort(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
