import { relative } from "node:path";

/** serverless-esbuild's configuration: where `npm start` builds, and what it watches. How it builds: build/bundler.ts. */
const options = ({ processedInput: { commands }, config: { serviceDir } }: Serverless) =>
  commands[0] === "offline"
    ? {
        // Out of the way of `sls package`, so that neither finds (or zips) the other's files
        outputWorkFolder: relative(serviceDir, `${process.env.LOCAL_DIR ?? ".local"}/esbuild`),
        watch: {
          pattern: [
            ...["functions/**/*.ts", "lib/**/*.ts", "own/**/*.ts", "openapi/**/*.ts"],
            ...["client/**/*.ts", "page/**"],
          ],
          ignore: ["**/*.test.ts"],
        },
      }
    : {};

type Serverless = { processedInput: { commands: string[] }; config: { serviceDir: string } };

// serverless-esbuild reads its configuration with `require`
export { options as "module.exports" };
