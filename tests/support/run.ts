import { execFile } from "node:child_process";
import { clock } from "./clock.ts";
import { compileCache } from "./compile-cache.ts";

export interface Run {
  exitCode: number | string | undefined;
  stdout: string;
  stderr: string;
}

/** Runs one of the project's commands as a process of its own that sees the test's time, and nothing of this shell but `input`. */
export function run(
  file: string,
  args: string[],
  env: Record<string, string>,
  signal?: AbortSignal,
  input = "",
): Promise<Run> {
  const { PATH = "", HOME = "" } = process.env;
  const { promise, resolve } = Promise.withResolvers<Run>();
  const options = {
    env: { PATH, HOME, HELD_TIME: String(clock.now), ...compileCache, ...env },
    ...(signal && { signal, killSignal: "SIGKILL" as const }),
  };
  const command = ["--import", "./tests/support/held-clock.mjs", file, ...args];
  const started = execFile(process.execPath, command, options, (error, stdout, stderr) =>
    resolve({ exitCode: error ? (error.code ?? undefined) : 0, stdout, stderr }),
  );
  // One that reads nothing may have ended before.
  started.stdin?.on("error", () => undefined).end(input);
  return promise;
}
