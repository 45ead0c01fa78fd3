/** Stands in for `data-file:foreign-hash.mjs` where tests import lib/ unbundled: the file that global-setup.ts made. */
export default new URL(
  "../../.local/test/bundles/functions/login/password.foreign-hash.mjs",
  import.meta.url,
);
