import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type BuildFailure, build, type Metafile } from "esbuild";
import { functionOptions } from "../build/bundle.ts";

/**
 * Makes what builds all functions into a folder, once and whenever something was saved. What functions share is in files of its own
 * (`chunks/`): a fifth of the time and of the memory that the bundles take that are deployed. A function that is loaded meanwhile finds
 * all of the build before, or all of this one. Where a file does not build, the functions that have it are gone until it does, and the
 * others stay as they were. Throws esbuild's BuildFailure.
 */
export function createBuild() {
  let outputs: Metafile["outputs"] = {};
  let last = new Set<string>();
  let before = last;

  return async function buildAll(outdir: string, entryPoints: string[]): Promise<void> {
    const chunks = resolve(outdir, "chunks");
    if (last.size === 0) rmSync(chunks, { recursive: true, force: true });
    const { outputFiles, metafile } = await build({
      ...functionOptions(outdir, entryPoints),
      ...{ sourcemap: true, splitting: true, chunkNames: "chunks/[name]-[hash]", write: false },
    }).catch((error: BuildFailure) => {
      removeBroken(outputs, error);
      throw error;
    });
    ({ outputs } = metafile);
    const isEntry = ({ path }: { path: string }) => path.endsWith(".mjs") && dirname(path) !== chunks;
    // An entry comes after all that it imports.
    for (const file of outputFiles.toSorted((a, b) => Number(isEntry(a)) - Number(isEntry(b)))) write(file);
    const files = new Set(outputFiles.map(({ path }) => path));
    // What is still being loaded may be of the build before.
    for (const path of before) if (!last.has(path) && !files.has(path)) rmSync(path, { force: true });
    [before, last] = [last, files];
  };
}

function removeBroken(outputs: Metafile["outputs"], { errors }: BuildFailure): void {
  const files = errors.map(({ location }) => location?.file ?? "");
  for (const [path, { inputs }] of Object.entries(outputs))
    if (files.some((file) => file in inputs)) rmSync(path, { force: true });
}

/** Writes a file in one step: whoever reads it finds all of it, or what was there before. */
function write({ path, contents }: { path: string; contents: Uint8Array }): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, contents);
  renameSync(`${path}.new`, path);
}
