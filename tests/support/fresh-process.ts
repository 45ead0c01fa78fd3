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
  const { readFileSync, writeFileSync } = require("node:fs");
  const { bundle, event, cgroup } = JSON.parse(readFileSync(0, "utf8"));
  const context = { awsRequestId: "request-1", getRemainingTimeInMillis: () => 10_000 };
  const readClocks = () => {
    const { user, system } = process.cpuUsage();
    return { at: String(process.hrtime.bigint()), cpuMs: (user + system) / 1000 };
  };
  // Lambda's log is not written to a stream that is opened for it
  process.stdout;
  import(bundle).then(async ({ handler }) => {
    // Lambda's client asks for the first event in a turn of its own
    await new Promise(setImmediate);
    const started = readClocks();
    if (cgroup) writeFileSync(cgroup, String(process.pid));
    const response = await handler(event, context);
    const { length } = process.moduleLoadList;
    process.stdout.write("\\n" + JSON.stringify({ response }) + "\\n");
    const answered = readClocks();
    const modules = process.moduleLoadList.slice(0, length).filter((name) => name.startsWith("NativeModule "));
    let peakKiB = process.resourceUsage().maxRSS;
    try { peakKiB = Number(/VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]); } catch {}
    process.stdout.write(JSON.stringify({ started, answered, peakKiB, modules }) + "\\n", () => process.exit());
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
  /** The same until the bundle was loaded: what Lambda calls INIT. The first request took the rest. */
  initMs: number;
  initCpuMs: number;
  peakKiB: number;
  /** What the function wrote to its log. */
  logBytes: number;
}

/**
 * Invokes the handler of a bundle once, in a process that has nothing but the given environment. `command` starts Node,
 * if not Node alone; the signal kills the process, and then the call throws. Into the file `cgroup` the process writes its id
 * after INIT.
 */
export async function invokeFresh(
  bundle: string,
  env: Record<string, string>,
  event: unknown,
  {
    signal,
    command: [command = "", ...args] = [process.execPath],
    cgroup,
  }: { signal?: AbortSignal; command?: string[]; cgroup?: string } = {},
): Promise<FirstAnswer> {
  const startedAt = process.hrtime.bigint();
  const child = spawn(command, [...args, "--eval", program], { env, stdio: ["pipe", "pipe", "inherit"] });
  signal?.addEventListener("abort", () => child.kill("SIGKILL"), { once: true });
  child.stdin.end(JSON.stringify({ bundle: pathToFileURL(resolve(bundle)).href, event, cgroup }));
  // The function writes its log there, too.
  const lines = (await text(child.stdout)).split("\n");
  if (signal?.aborted) throw new Error("the process was killed");
  const isOurs = (line: string) => /^\{"(?:response|started)":/.test(line);
  const [answer = {}, facts = {}] = lines.filter(isOurs).map((line) => JSON.parse(line));
  const log = lines.filter((line) => !isOurs(line)).join("\n");
  const { started, answered, ...taken } = facts;
  if (answered === undefined) throw new Error(`${bundle} gave no response: ${log}`);
  const since = ({ at }: { at: string }) => Number(BigInt(at) - startedAt) / 1e6;
  return {
    ...{ ...answer, ...taken, logBytes: Buffer.byteLength(log.trim()) },
    ...{ ms: since(answered), cpuMs: answered.cpuMs, initMs: since(started), initCpuMs: started.cpuMs },
  };
}
