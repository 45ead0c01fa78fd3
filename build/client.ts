import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type BuildOptions, build } from "esbuild";

/** How the client is bundled, for whoever serves it: one ES module without imports, for browsers and Node. */
export const clientOptions = {
  entryPoints: ["client/auth-client.ts"],
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
} satisfies BuildOptions;

/** Builds `<outdir>/auth-client.js` and its types. Throws what the compilers found. */
export async function buildClient(outdir: string): Promise<void> {
  const types = ["--project", "client", "--noEmit", "false", "--declaration", "--emitDeclarationOnly"];
  await Promise.all([
    build({ ...clientOptions, outdir, logLevel: "warning" }),
    promisify(execFile)("node_modules/.bin/tsc", [...types, "--outDir", outdir]),
  ]);
}
