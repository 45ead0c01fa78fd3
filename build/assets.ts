import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { dictionary } from "@zxcvbn-ts/language-common";
import { build, type Plugin } from "esbuild";
import { createDocument } from "../openapi/document.ts";
import { createPage } from "../openapi/page.ts";

/** The version of package.json. */
const readVersion = (): string => JSON.parse(readFileSync("package.json", "utf8")).version;

/** Every data file by the end of its name, and what makes it. */
const makers: Record<string, () => string | Promise<string>> = {
  "foreign-hash.mjs": () => bundleApart("lib/factors/verify-foreign-hash.ts"),
  "common-passwords.txt": createCommonPasswords,
  "openapi.json": () => JSON.stringify(createDocument({ version: readVersion() })),
  "docs.html": () => createPage({ version: readVersion() }),
};

/**
 * Resolves `data-file:openapi.json` to the URL of a file and makes that file beside each bundle that imports it: data, and
 * code that is loaded when it is first needed, slow no cold start, and the file's name, which begins with the bundle's, keeps it
 * out of other functions' zips.
 */
export const dataFiles: Plugin = {
  name: "data-files",
  setup({ initialOptions, onResolve, onLoad, onEnd }) {
    const texts = new Map<string, string>();
    initialOptions.metafile = true;
    onResolve({ filter: /^data-file:/ }, ({ path }) => ({
      path: path.slice("data-file:".length),
      namespace: "data-files",
    }));
    onLoad({ filter: /./, namespace: "data-files" }, async ({ path }) => {
      const make = makers[path];
      if (!make) return { errors: [{ text: `nothing makes the data file ${path}` }] };
      texts.set(path, await make());
      return { contents: `export default new URL(import.meta.url.replace(/\\.mjs[^/]*$/, ".${path}"))` };
    });
    onEnd(({ metafile = { inputs: {}, outputs: {} }, outputFiles }) => {
      for (const [bundle, { inputs }] of Object.entries(metafile.outputs))
        for (const [name, text] of texts) {
          if (!(`data-files:${name}` in inputs)) continue;
          const path = resolve(bundle.replace(/mjs$/, name));
          if (outputFiles) outputFiles.push({ path, text, contents: Buffer.from(text), hash: "" });
          else writeFileSync(path, text);
        }
    });
  },
};

/**
 * Resolves `import text from "static:../page/page.ts"` to the text that a browser is to get, made when the function is
 * built: TypeScript and CSS are bundled and minified, anything else is taken as it is.
 */
export const staticFiles: Plugin = {
  name: "static-files",
  setup({ esbuild, onResolve, onLoad }) {
    onResolve({ filter: /^static:/ }, ({ path, resolveDir }) => ({
      path: resolve(resolveDir, path.slice("static:".length)),
      namespace: "static-files",
    }));
    onLoad({ filter: /./, namespace: "static-files" }, async ({ path }) => {
      const { outputFiles } = await esbuild.build({
        entryPoints: [path],
        bundle: true,
        format: "esm",
        platform: "browser",
        target: "es2022",
        minify: true,
        loader: { ".html": "copy", ".svg": "copy" },
        outdir: "out", // nothing is written there; the copies want a name
        write: false,
      });
      return { contents: outputFiles[0]?.text ?? "", loader: "text" };
    });
  },
};

/** Code that few ever need, for a file that is loaded when it is. */
async function bundleApart(entryPoint: string): Promise<string> {
  const options = { bundle: true, format: "esm", platform: "node", target: "node24", minify: true } as const;
  const { outputFiles } = await build({ ...options, entryPoints: [entryPoint], write: false });
  return outputFiles[0]?.text ?? "";
}

/** The floor of PASSWORD_MIN_LENGTH: shorter passwords are refused before the list is asked. */
const MIN_LENGTH = 8;

/** Common passwords as the service compares them (NFKC, lower case), sorted, one a line. */
export function createCommonPasswords(): string {
  return [...new Set(dictionary["passwords-common"].map((word) => word.normalize("NFKC").toLowerCase()))]
    .filter((word) => [...word].length >= MIN_LENGTH)
    .sort()
    .join("\n");
}
