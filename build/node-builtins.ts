import type { Plugin } from "esbuild";

/**
 * Loads some of Node's own modules with `process.getBuiltinModule`: an ESM import reads all lazy exports of a module, and
 * so loads what nobody uses – with `node:http` undici and web streams (33 ms of a cold start, against 3 ms), with
 * `node:fs` its streams.
 */
export const nodeBuiltins: Plugin = {
  name: "node-builtins",
  setup(build) {
    build.onResolve({ filter: /^(node:)?(https?|fs|process)$/ }, ({ path, importer }) => ({
      path,
      // The words for statuses, which middy puts into errors that nobody sees, are no reason to load a server
      namespace: /[\\/]@middy[\\/]util[\\/]/.test(importer) ? "no-words" : "node-builtins",
    }));
    build.onLoad({ filter: /./, namespace: "no-words" }, () => ({
      contents: "export const STATUS_CODES = {};",
    }));
    build.onLoad({ filter: /./, namespace: "node-builtins" }, ({ path }) => ({
      // CommonJS on purpose: a list of ESM exports would have to name every one of them
      contents: `module.exports = process.getBuiltinModule("${path}")`,
    }));
  },
};
