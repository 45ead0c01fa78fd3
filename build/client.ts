import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { minify } from "@swc/core";
import { type BuildOptions, build } from "esbuild";

/** The oldest browsers that the client runs in. */
export const oldestBrowsers = ["chrome91", "edge91", "firefox79", "safari14.1"];

/** How the client is bundled: one ES module without imports, for browsers and Node. */
const bundling = {
  entryPoints: ["client/auth-client.ts"],
  bundle: true,
  format: "esm",
  target: oldestBrowsers,
  minifySyntax: true,
  write: false,
  logLevel: "warning",
} satisfies BuildOptions;

/** esbuild's short names differ from function to function; these repeat, so that gzip saves 3 % more. */
const minifying = {
  module: true,
  ecma: 2020,
  compress: { ecma: 2020, passes: 3, unsafe_arrows: true },
  mangle: true,
  format: { comments: false },
} as const;

/** Builds `<outdir>/auth-client.js` and its types. Throws what the compilers found. */
export async function buildClient(outdir: string): Promise<void> {
  const types = ["--project", "client", "--noEmit", "false", "--declaration", "--emitDeclarationOnly"];
  await Promise.all([
    writeBundle(join(outdir, "auth-client.js")),
    promisify(execFile)("node_modules/.bin/tsc", [...types, "--outDir", outdir]),
  ]);
}

async function writeBundle(path: string): Promise<void> {
  const { outputFiles } = await build({ ...bundling, outfile: path });
  const { code } = await minify(outputFiles[0]?.text ?? "", minifying);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, code);
}

// Not awaited: Jest cannot load a module that waits. A failure ends the process with an error all the same.
if (import.meta.main) void buildClient("client/dist");
