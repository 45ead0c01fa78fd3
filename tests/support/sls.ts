import { execFile, execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { promisify } from "node:util";

const options = { maxBuffer: 64 * 1024 * 1024 };
const program = createRequire(import.meta.url).resolve("serverless/bin/serverless.js");

/** Runs the Serverless command line with nothing of this shell's settings and no credentials; returns what it prints. */
export async function sls(args: string[], { cwd = process.cwd(), env = {} } = {}): Promise<string> {
  const { PATH, HOME } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], {
    cwd,
    env: { PATH, HOME, ...env },
    ...options,
  });
  return stdout;
}

/** The same, while this process waits. */
export function slsSync(args: string[]): string {
  const { PATH, HOME } = process.env;
  return execFileSync(process.execPath, [program, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH, HOME },
    encoding: "utf8",
    ...options,
  });
}
