import type { Plugin } from "esbuild";

/**
 * Leaves the AWS SDK's credential chain out of the bundles (90 KiB: profiles, SSO, STS, instance metadata) but for its
 * first link: Lambda hands every function its role's credentials in the environment, and `npm start` does the same.
 */
export const lambdaCredentials: Plugin = {
  name: "lambda-credentials",
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
  },
};
