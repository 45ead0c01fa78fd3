import { globSync } from "node:fs";
import { dirname, join } from "node:path";
import { type BuildOptions, build, type Metafile } from "esbuild";
import { dataFiles, staticFiles } from "./assets.ts";
import { fetchClasses } from "./fetch-classes.ts";
import { lambdaSettings } from "./lambda-settings.ts";
import { nodeBuiltins } from "./node-builtins.ts";
import { sdkParts } from "./sdk-parts.ts";
import { sdkSchemas } from "./sdk-schemas.ts";
import { signaturesOnly } from "./signatures-only.ts";
import { smallCaches } from "./small-caches.ts";

/** How every function is bundled: for packaging and local runs (through serverless-esbuild) and for the tests. */
export const bundleOptions = {
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node24",
  minify: true,
  // The ES modules of the AWS SDK: half the size, and its CommonJS would need a `require` that ESM does not have
  mainFields: ["module", "main"],
  plugins: [
    ...[nodeBuiltins, lambdaSettings, sdkParts, sdkSchemas, signaturesOnly, smallCaches],
    ...[fetchClasses, dataFiles, staticFiles],
  ],
} satisfies BuildOptions;

/**
 * Bundles every `functions/<feature>/<verb>.ts` to `<outdir>/functions/<feature>/<verb>.mjs` and returns esbuild's
 * metafile of each, by its path without ending (`functions/session/list`).
 */
export async function buildFunctions(outdir: string): Promise<Record<string, Metafile>> {
  const files = globSync("functions/**/*.ts", { exclude: ["**/*.test.ts"] });
  const built = files.map(async (file) => {
    const { metafile } = await build({
      ...bundleOptions,
      entryPoints: [file],
      outdir: join(outdir, dirname(file)),
      outExtension: { ".js": ".mjs" },
      metafile: true,
      logLevel: "warning",
    });
    return [file.replace(/\.ts$/, ""), metafile] as const;
  });
  return Object.fromEntries(await Promise.all(built));
}
