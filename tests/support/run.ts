import { execFile } from "node:child_process";
import { clock } from "./clock.ts";

export interface Run {
  exitCode: number | string | undefined;
  stdout: string;
  stderr: string;
}

/** Runs one of the project's commands as a process of its own that sees the test's time, and nothing of this shell. */
export function run(
  file: string,
  args: string[],
  env: Record<string, string>,
  signal?: AbortSignal,
): Promise<Run> {
  const { PATH = "", HOME = "" } = process.env;
  const { promise, resolve } = Promise.withResolvers<Run>();
  const options = {
    env: { PATH, HOME, HELD_TIME: String(clock.now), ...env },
    ...(signal && { signal, killSignal: "SIGKILL" as const }),
  };
  const command = ["--import", "./tests/support/held-clock.mjs", file, ...args];
  execFile(process.execPath, command, options, (error, stdout, stderr) =>
    resolve({ exitCode: error ? (error.code ?? undefined) : 0, stdout, stderr }),
  );
  return promise;
}
