import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, parse } from "node:path";
import type { Plugin } from "esbuild";
import { createDocument } from "../openapi/document.ts";
import { createPage } from "../openapi/page.ts";
import { createCommonPasswords } from "./common-passwords.ts";

/** The version of package.json. */
const readVersion = (): string => JSON.parse(readFileSync("package.json", "utf8")).version;

/** Every data file by the end of its name, and what makes it. */
const makers: Record<string, () => string> = {
  "common-passwords.txt": createCommonPasswords,
  "openapi.json": () => JSON.stringify(createDocument({ version: readVersion() })),
  "docs.html": () => createPage(createDocument({ version: readVersion() })),
};

/**
 * Resolves `data-file:openapi.json` to the URL of a text file and writes that file beside each bundle that imports it:
 * data that is not part of the code slows no cold start, and the file's name keeps it out of other functions' zips.
 */
export const dataFiles: Plugin = {
  name: "data-files",
  setup({ initialOptions, onResolve, onLoad }) {
    onResolve({ filter: /^data-file:/ }, ({ path }) => ({
      path: path.slice("data-file:".length),
      namespace: "data-files",
    }));
    onLoad({ filter: /./, namespace: "data-files" }, ({ path }) => {
      const { entryPoints, outdir = "." } = initialOptions;
      const fileName = `${parse(String((entryPoints as string[])[0])).name}.${path}`;
      const make = makers[path];
      if (!make) return { errors: [{ text: `nothing makes the data file ${path}` }] };
      mkdirSync(outdir, { recursive: true });
      writeFileSync(join(outdir, fileName), make());
      return { contents: `export default new URL("${fileName}", import.meta.url)` };
    });
  },
};
