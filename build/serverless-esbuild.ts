import { relative } from "node:path";
import { bundleOptions } from "./bundle.ts";

/** serverless-esbuild's configuration: the same bundles for packaging and, with source maps, for `npm start`. */
const options = ({ processedInput: { commands }, config: { serviceDir } }: Serverless) => ({
  ...bundleOptions,
  outputFileExtension: ".mjs",
  ...(commands[0] === "offline" && {
    sourcemap: true,
    // Out of the way of `sls package`, so that neither finds (or zips) the other's files
    outputWorkFolder: relative(serviceDir, `${process.env.LOCAL_DIR ?? ".local"}/esbuild`),
    watch: {
      pattern: [
        ...["functions/**/*.ts", "lib/**/*.ts", "own/**/*.ts", "openapi/**/*.ts"],
        ...["client/**/*.ts", "page/**"],
      ],
      ignore: ["**/*.test.ts"],
    },
  }),
});

type Serverless = { processedInput: { commands: string[] }; config: { serviceDir: string } };

// serverless-esbuild reads its configuration with `require`
export { options as "module.exports" };
