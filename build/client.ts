import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { minify } from "@swc/core";
import { type BuildOptions, build, type Plugin } from "esbuild";

/** The oldest browsers that the client runs in. */
export const oldestBrowsers = ["chrome91", "edge91", "firefox79", "safari14.1"];

/** Each is a file of its own. */
const entryPoints = ["auth-client", "account", "passkeys", "factors", "sign-in"];

/**
 * Another entry point takes what the first has made, such as `AuthError`, from its file: a second one of that name would be another
 * class.
 */
const firstEntryPoint: Plugin = {
  name: "first-entry-point",
  setup({ onResolve }) {
    onResolve({ filter: /\/auth-client\.ts$/ }, ({ kind }) =>
      kind === "entry-point" ? undefined : { path: "./auth-client.js", external: true },
    );
  },
};

/** Properties that are neither public nor stored, and that nothing of a platform that the client uses is called: they get short names. A token store's are in quotes. */
const inside =
  /^(before|next|store|lock|send|retry|post|reject|result|tell|load|save|nowMs|minMs|waitMs|createKey|isStale|orElse|doubt|welcome|bearer|base)$/;

/** How an entry point is bundled: one ES module, for browsers and Node, which imports at most the first. */
const bundling = {
  bundle: true,
  format: "esm",
  target: oldestBrowsers,
  minifySyntax: true,
  mangleProps: inside,
  plugins: [firstEntryPoint],
  write: false,
  logLevel: "warning",
} satisfies BuildOptions;

/**
 * esbuild's short names differ from function to function; these repeat, so that gzip saves 3 % more. `unsafe` is about objects whose
 * conversion to text does something else than to a primitive: there are none.
 */
const minifying = {
  module: true,
  ecma: 2020,
  compress: { ecma: 2020, passes: 3, unsafe: true, unsafe_arrows: true, hoist_vars: true },
  mangle: true,
  format: { comments: false },
} as const;

/** Builds the entry points into `<outdir>`, `auth-client.js` and those beside it, with their types. Throws what the compilers found. */
export async function buildClient(outdir: string): Promise<void> {
  const types = ["--project", "client", "--noEmit", "false", "--declaration", "--emitDeclarationOnly"];
  await Promise.all([
    ...entryPoints.map((name) => writeBundle(name, outdir)),
    promisify(execFile)("node_modules/.bin/tsc", [...types, "--outDir", outdir]),
  ]);
}

async function writeBundle(name: string, outdir: string): Promise<void> {
  const { outputFiles } = await build({
    ...bundling,
    absWorkingDir: process.cwd(),
    entryPoints: [`client/${name}.ts`],
  });
  const { code } = await minify(outputFiles[0]?.text ?? "", minifying);
  await mkdir(outdir, { recursive: true });
  await writeFile(join(outdir, `${name}.js`), code);
}

// Not awaited: Jest cannot load a module that waits. A failure ends the process with an error all the same.
if (import.meta.main) {
  process.chdir(join(import.meta.dirname, ".."));
  void buildClient("client/dist");
}
