import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { promisify } from "node:util";

const program = createRequire(import.meta.url).resolve("serverless/bin/serverless.js");

/** Runs the Serverless command line with nothing of this shell's settings and no credentials; returns what it prints. */
export async function sls(args: string[], { cwd = process.cwd(), env = {} } = {}): Promise<string> {
  const { PATH, HOME } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], {
    cwd,
    env: { PATH, HOME, ...env },
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}
