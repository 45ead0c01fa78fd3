import { readFile } from "node:fs/promises";
import type { Plugin } from "esbuild";
import { withoutUnusedErrors } from "./sdk-parts.ts";

/**
 * Lets esbuild leave out of the AWS SDK's schemas what a function does not use (SES: 40 KiB). Their computed keys, `[_hQ]:`,
 * might do anything for all that it knows, and so keep whatever is around them; here they are the texts that they stand for.
 */
export const sdkSchemas: Plugin = {
  name: "sdk-schemas",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]dist-es[\\/]schemas[\\/]schemas_\d\.js$/ }, async ({ path }) => {
      const source = withoutUnusedErrors(await readFile(path, "utf8"));
      const texts = new Map(
        [...source.matchAll(/^const (\w+) = ("[^"]*");$/gm)].map(([, name, text]) => [name, text]),
      );
      return {
        contents: source.replace(/\[(\w+)\]:/g, (key, name) =>
          texts.has(name) ? `${texts.get(name)}:` : key,
        ),
      };
    });
  },
};
