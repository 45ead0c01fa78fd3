import { bundleOptions } from "./bundle.ts";

const options = () => ({ ...bundleOptions, outputFileExtension: ".mjs" });

// serverless-esbuild reads its configuration with `require`
export { options as "module.exports" };
