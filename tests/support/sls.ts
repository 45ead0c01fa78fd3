import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Runs the Serverless command line with nothing of this shell's settings and no credentials; returns what it prints. */
export async function sls(args: string[], { cwd = process.cwd(), env = {} } = {}): Promise<string> {
  const { PATH, HOME } = process.env;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["node_modules/serverless/bin/serverless.js", ...args],
    { cwd, env: { PATH, HOME, ...env }, maxBuffer: 64 * 1024 * 1024 },
  );
  return stdout;
}
