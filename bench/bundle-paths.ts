import { pathOf } from "../tests/support/declared.ts";

/** Where the bundle of a function is. */
export const bundleOf = (name: string): string => `.local/bench/${pathOf(name)}.mjs`;

/** Where the bundle of a peer's function is: express is CommonJS. */
export const peerBundleOf = (name: string): string =>
  `.local/bench/peers/${name}.${name.startsWith("express") ? "cjs" : "mjs"}`;
