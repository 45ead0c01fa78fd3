import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import type { ApiResponse } from "../../lib/http/response.ts";

/**
 * Imports a bundle, gives its handler one event, hands on the response and then says what it took. The peak of memory is
 * the kernel's, where there is one to ask: getrusage would count the parent's as well.
 */
const program = `
  const { readFileSync } = require("node:fs");
  const { bundle, event } = JSON.parse(readFileSync(0, "utf8"));
  const context = { awsRequestId: "request-1", getRemainingTimeInMillis: () => 10_000 };
  import(bundle).then(async ({ handler }) => {
    const response = await handler(event, context);
    const { length } = process.moduleLoadList;
    process.stdout.write("\\n" + JSON.stringify({ response }) + "\\n");
    const answeredAt = String(process.hrtime.bigint());
    const { user, system } = process.cpuUsage();
    const modules = process.moduleLoadList.slice(0, length).filter((name) => name.startsWith("NativeModule "));
    let peakKiB = process.resourceUsage().maxRSS;
    try { peakKiB = Number(/VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]); } catch {}
    process.stdout.write(JSON.stringify({ answeredAt, cpuMs: (user + system) / 1000, peakKiB, modules }) + "\\n", () => process.exit());
  });
`;

export interface FirstAnswer {
  response: ApiResponse;
  /** Node's builtin modules that had been loaded. */
  modules: string[];
  /** From before the process was started. */
  ms: number;
  /** Processor time of all threads, until then. */
  cpuMs: number;
  peakKiB: number;
  /** What the function wrote to its log. */
  logBytes: number;
}

/**
 * Invokes the handler of a bundle once, in a process that has nothing but the given environment. `command` starts Node,
 * if not Node alone; the signal kills the process, and then the call throws.
 */
export async function invokeFresh(
  bundle: string,
  env: Record<string, string>,
  event: unknown,
  {
    signal,
    command: [command = "", ...args] = [process.execPath],
  }: { signal?: AbortSignal; command?: string[] } = {},
): Promise<FirstAnswer> {
  const startedAt = process.hrtime.bigint();
  const child = spawn(command, [...args, "--eval", program], { env, stdio: ["pipe", "pipe", "inherit"] });
  signal?.addEventListener("abort", () => child.kill("SIGKILL"), { once: true });
  child.stdin.end(JSON.stringify({ bundle: pathToFileURL(resolve(bundle)).href, event }));
  // The function writes its log there, too.
  const lines = (await text(child.stdout)).split("\n");
  if (signal?.aborted) throw new Error("the process was killed");
  const isOurs = (line: string) => /^\{"(?:response|answeredAt)":/.test(line);
  const [answer = {}, facts = {}] = lines.filter(isOurs).map((line) => JSON.parse(line));
  const log = lines.filter((line) => !isOurs(line)).join("\n");
  const { answeredAt, ...taken } = facts;
  if (answeredAt === undefined) throw new Error(`${bundle} gave no response: ${log}`);
  const ms = Number(BigInt(answeredAt) - startedAt) / 1e6;
  return { ...answer, ...taken, ms, logBytes: Buffer.byteLength(log.trim()) };
}
