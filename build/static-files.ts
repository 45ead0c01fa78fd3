import { resolve } from "node:path";
import type { Plugin } from "esbuild";

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
