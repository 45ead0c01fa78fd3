import type { Plugin } from "esbuild";

/**
 * Leaves out of the bundles where the AWS SDK looks for credentials and settings that a function does not have: its
 * credential chain (90 KiB: profiles, SSO, STS, instance metadata) but for the first link, and the files in `~/.aws`,
 * for which every cold start would load nine of Node's modules. Lambda hands each function its role's credentials and
 * its region in the environment, and `npm start` does the same.
 */
export const lambdaSettings: Plugin = {
  name: "lambda-settings",
  setup(build) {
    build.onResolve({ filter: /^@aws-sdk\/credential-provider-node$/ }, ({ path, resolveDir }) => ({
      path,
      namespace: "lambda-credentials",
      pluginData: resolveDir,
    }));
    build.onLoad({ filter: /./, namespace: "lambda-credentials" }, ({ pluginData }) => ({
      contents: 'export { fromEnv as defaultProvider } from "@aws-sdk/credential-provider-env"',
      resolveDir: pluginData,
    }));
    build.onLoad({ filter: /[\\/]shared-ini-file-loader[\\/]readFile\.js$/ }, () => ({
      contents: 'export const filePromises = {}, fileIntercept = {}; export const readFile = async () => "";',
    }));
  },
};
