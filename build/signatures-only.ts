import type { Plugin } from "esbuild";

/**
 * Leaves JOSE's algorithms of encryption out of the bundles (2 KiB in each that verifies): jose looks for a key's
 * algorithm among them, too, and we only sign. An algorithm that is missing is refused as one that nobody knows.
 */
export const signaturesOnly: Plugin = {
  name: "signatures-only",
  setup(build) {
    build.onResolve({ filter: /[\\/]jwe_algorithms\.js$/ }, ({ path, importer }) =>
      /[\\/]key_algorithm\.js$/.test(importer) ? { path, namespace: "signatures-only" } : undefined,
    );
    build.onLoad({ filter: /./, namespace: "signatures-only" }, () => ({
      contents: "export const JWE = {};",
    }));
  },
};
