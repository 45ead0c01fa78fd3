import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { promisify } from "node:util";
import { compileCache } from "./compile-cache.ts";

export type Started = Awaited<ReturnType<typeof npmStart>>;

type Ports = { PORT: string; LAMBDA_PORT: string; DYNAMODB_PORT: string; PROVIDER_PORT: string };

/**
 * Four ports that nobody listens on. They are used seconds later, so they are not of those that a system gives to who
 * asks for any (Linux: from 32,768 on), and each of Jest's workers has its own.
 */
async function freePorts(): Promise<Ports> {
  const first =
    20_000 + 500 * (Number(process.env.JEST_WORKER_ID) % 24) + 4 * Math.floor(Math.random() * 125);
  const [api, lambda, dynamodb, provider] = [0, 1, 2, 3].map((n) => `${first + n}`) as [
    string,
    string,
    string,
    string,
  ];
  const ports = { PORT: api, LAMBDA_PORT: lambda, DYNAMODB_PORT: dynamodb, PROVIDER_PORT: provider };
  const areFree = await Promise.all(Object.values(ports).map(isFree));
  return areFree.every(Boolean) ? ports : freePorts();
}

async function isFree(port: string): Promise<boolean> {
  const server = createServer().listen(Number(port), "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  await once(server.close(), "close");
  return true;
}

/** Types `npm start` in a folder and waits until it is ready. Throws with what it printed if it ends instead. */
export async function npmStart(folder: string, env: Record<string, string> = {}) {
  const ports = await freePorts();
  const { child, output } = run(folder, { ...ports, ...env });
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on("data", () => output().includes("Ctrl-C ends it") && resolve());
    child.once("exit", () => reject(new Error(output())));
  });
  return {
    url: `http://localhost:${ports.PORT}`,
    ports,
    curls: output().match(/^curl .*/gm) ?? [],
    output,
    /** Presses Ctrl-C; resolves to what was left running: process ids. */
    async interrupt(): Promise<number[]> {
      // A terminal sends Ctrl-C to the whole process group
      process.kill(-(child.pid as number), "SIGINT");
      await once(child, "exit");
      return waitForEnd(child.pid as number);
    },
  };
}

/** Types `npm start` where it must fail; returns its exit code and what it printed. */
export async function npmStartFails(folder: string, env: Record<string, string>) {
  const { child, output } = run(folder, { ...(await freePorts()), ...env });
  const [code] = await once(child, "close");
  return { code, output: output() };
}

/** Types `npm start`, and kills it as soon as it says something; resolves to what was left running: process ids. */
export async function npmStartKilled(folder: string, env: Record<string, string>): Promise<number[]> {
  const { child, output } = run(folder, { ...(await freePorts()), ...env });
  child.stdout?.on("data", () => output().includes("built first") && child.kill());
  await once(child, "exit");
  return waitForEnd(child.pid as number);
}

/** Runs a line as it would run when pasted into a terminal; returns what it prints. */
export async function paste(line: string): Promise<string> {
  return (await promisify(execFile)("bash", ["-c", line])).stdout;
}

function run(folder: string, env: Record<string, string>): { child: ChildProcess; output: () => string } {
  const { PATH, HOME } = process.env;
  const child = spawn("npm", ["start"], {
    cwd: folder,
    env: { PATH, HOME, ...compileCache, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (printed += chunk));
  return { child, output: () => printed };
}

/** Waits for a process group to end, as long as a busy machine may take, and returns who is left of it. */
async function waitForEnd(group: number): Promise<number[]> {
  for (let i = 0; i < 3_000; i++) {
    try {
      process.kill(-group, 0);
    } catch {
      return [];
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  process.kill(-group, "SIGKILL");
  return [group];
}
