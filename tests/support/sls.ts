import { execFile, execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { promisify } from "node:util";
import { compileCache } from "./compile-cache.ts";

const program = createRequire(import.meta.url).resolve("serverless/bin/serverless.js");

function optionsOf({ cwd = process.cwd(), env = {} } = {}) {
  const { PATH, HOME } = process.env;
  return { cwd, env: { PATH, HOME, ...compileCache, ...env }, maxBuffer: 2 ** 26, encoding: "utf8" } as const;
}

/** Runs the Serverless command line with nothing of this shell's settings and no credentials; returns what it prints. */
export async function sls(args: string[], options?: { cwd?: string; env?: object }): Promise<string> {
  return (await promisify(execFile)(process.execPath, [program, ...args], optionsOf(options))).stdout;
}

/** The same, while this process waits. */
export const slsSync = (args: string[], options?: { env?: object }): string =>
  execFileSync(process.execPath, [program, ...args], { ...optionsOf(options), stdio: "pipe" });
