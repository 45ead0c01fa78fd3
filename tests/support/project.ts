import { cpSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What `npm start` and `sls` read of the project; its packages are linked. */
const parts = ["build", "client", "functions", "lib", "local", "openapi", "own", "page"];
const files = ["package.json", "serverless.yml"];

/** Copies the project, and `more` of it, to a folder of its own, where tests may start, package and change it. */
export function copyProject(...more: string[]): string {
  const folder = createFolder();
  for (const part of [...parts, ...files, ...more]) cpSync(part, join(folder, part), { recursive: true });
  symlinkSync(join(process.cwd(), "node_modules"), join(folder, "node_modules"));
  return folder;
}

export function createFolder(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), "serverless-auth-api-")));
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
