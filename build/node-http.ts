import type { Plugin } from "esbuild";

/**
 * Loads `node:http` and `node:https` with `process.getBuiltinModule`: an ESM import of them reads all their lazy
 * exports, and with those loads undici and web streams (33 ms of a cold start, against 3 ms).
 */
export const nodeHttp: Plugin = {
  name: "node-http",
  setup(build) {
    build.onResolve({ filter: /^(node:)?https?$/ }, ({ path }) => ({ path, namespace: "node-http" }));
    build.onLoad({ filter: /./, namespace: "node-http" }, ({ path }) => ({
      // CommonJS on purpose: a list of ESM exports would have to name every one of them
      contents: `module.exports = process.getBuiltinModule("${path}")`,
    }));
  },
};
