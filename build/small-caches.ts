import type { Plugin } from "esbuild";

/**
 * Puts a Map in the place of the LRU cache that the SDK's client of DynamoDB makes for endpoints that it would have to ask
 * for (7 KiB in each bundle with a database): it never asks, since DynamoDB has one endpoint a region.
 */
export const smallCaches: Plugin = {
  name: "small-caches",
  setup(build) {
    build.onResolve({ filter: /^mnemonist\/lru-cache$/ }, ({ path }) => ({
      path,
      namespace: "small-caches",
    }));
    build.onLoad({ filter: /./, namespace: "small-caches" }, () => ({
      contents:
        "export default class extends Map { constructor() { super(); } peek(key) { return this.get(key); } }",
    }));
  },
};
