import base from "../../jest.config.ts";

/** Both packages as they are installed, and serverless-auth-verify in real frameworks. `npm run test:packages` */
export default {
  ...base,
  rootDir: "../..",
  globalSetup: "<rootDir>/tests/packages/setup.ts",
  testMatch: ["<rootDir>/tests/packages/*.test.ts"],
  testPathIgnorePatterns: ["/node_modules/"],
};
