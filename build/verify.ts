import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";

/** Each is a file of its own; what they share is in files beside them, so that there is one AuthError. */
export const verifyEntryPoints = ["index", "express", "fastify", "hono", "middy", "next"];

/** Builds `serverless-auth-verify` into `<outdir>`: ES modules for Node, and their types. Throws what the compilers found. */
export async function buildVerify(outdir: string): Promise<void> {
  await rm(outdir, { recursive: true, force: true });
  await Promise.all([
    build({
      absWorkingDir: process.cwd(),
      entryPoints: verifyEntryPoints.map((name) => `verify/${name}.ts`),
      outdir,
      bundle: true,
      splitting: true,
      chunkNames: "shared-[hash]",
      format: "esm",
      platform: "node",
      target: "node20",
      minify: true,
      packages: "external",
      logLevel: "warning",
    }),
    writeTypes(outdir),
  ]);
}

/** The compiler writes the types of every file that is read; the package gets those that its own name. */
async function writeTypes(outdir: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "verify-types-"));
  const types = ["--noEmit", "false", "--declaration", "--emitDeclarationOnly", "--rootDir", "."];
  await promisify(execFile)("node_modules/.bin/tsc", ["--project", "verify", ...types, "--outDir", folder]);
  const named = new Set(verifyEntryPoints.map((name) => `verify/${name}.d.ts`));
  for (const path of named) {
    const text = await readFile(join(folder, path), "utf8");
    for (const [, file = ""] of text.matchAll(/from "(\.[^"]+)\.ts"/g))
      named.add(`${join(dirname(path), file)}.d.ts`);
    await cp(join(folder, path), join(outdir, path));
  }
  await rm(folder, { recursive: true });
}

// Not awaited: Jest cannot load a module that waits. A failure ends the process with an error all the same.
if (import.meta.main) {
  process.chdir(join(import.meta.dirname, ".."));
  void buildVerify("verify/dist");
}
