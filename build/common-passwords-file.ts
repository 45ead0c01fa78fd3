import { mkdirSync, writeFileSync } from "node:fs";
import { join, parse } from "node:path";
import { dictionary } from "@zxcvbn-ts/language-common";
import type { Plugin } from "esbuild";

/** The floor of PASSWORD_MIN_LENGTH: shorter passwords are refused before the list is asked. */
const MIN_LENGTH = 8;

/** Common passwords as the service compares them (NFKC, lower case), sorted, one a line. */
export const commonPasswords = (): string =>
  [...new Set(dictionary["passwords-common"].map((word) => word.normalize("NFKC").toLowerCase()))]
    .filter((word) => [...word].length >= MIN_LENGTH)
    .sort()
    .join("\n");

/**
 * Resolves `common-passwords:file` to the URL of a text file and writes that file beside each bundle that imports
 * it: data that is read on first use slows no cold start, and the file's name keeps it out of other functions' zips.
 */
export const commonPasswordsFile: Plugin = {
  name: "common-passwords-file",
  setup({ initialOptions, onResolve, onLoad }) {
    onResolve({ filter: /^common-passwords:file$/ }, ({ path }) => ({ path, namespace: "common-passwords" }));
    onLoad({ filter: /./, namespace: "common-passwords" }, () => {
      const { entryPoints, outdir = "." } = initialOptions;
      const fileName = `${parse(String((entryPoints as string[])[0])).name}.common-passwords.txt`;
      mkdirSync(outdir, { recursive: true });
      writeFileSync(join(outdir, fileName), commonPasswords());
      return { contents: `export default new URL("${fileName}", import.meta.url)` };
    });
  },
};
