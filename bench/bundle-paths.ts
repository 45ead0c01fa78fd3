/** Where the bundle of a function is. */
export const bundleOf = (name: string): string => `.local/bench/functions/${name}.mjs`;

/** Where the bundle of a peer's function is: express is CommonJS. */
export const peerBundleOf = (name: string): string =>
  `.local/bench/peers/${name}.${name.startsWith("express") ? "cjs" : "mjs"}`;
