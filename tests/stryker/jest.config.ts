import base from "../../jest.config.ts";

/** The tests that Stryker runs for its mutants. */
export default {
  ...base,
  rootDir: "../..",
  globalSetup: "<rootDir>/tests/stryker/setup.ts",
  testMatch: ["sessions", "tokens"]
    .map((folder) => `<rootDir>/lib/${folder}/*.test.ts`)
    .concat("<rootDir>/lib/http/cookies.test.ts"),
  testRunner: "<rootDir>/tests/stryker/jest-circus-first-failure.ts",
};
