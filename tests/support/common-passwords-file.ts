/** Stands in for `data-file:common-passwords.txt` where tests import lib/ unbundled: the file that global-setup.ts made. */
export default new URL(
  "../../.local/test/bundles/functions/account/register.common-passwords.txt",
  import.meta.url,
);
