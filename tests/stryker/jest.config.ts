import base from "../../jest.config.ts";

/** The tests that Stryker runs for its mutants: units, which need no bundles. `npm run test:stryker` */
export default {
  ...base,
  rootDir: "../..",
  globalSetup: undefined,
  roots: ["<rootDir>/lib", "<rootDir>/tests"],
  testMatch: ["sessions", "tokens"]
    .map((folder) => `<rootDir>/lib/${folder}/*.test.ts`)
    .concat("<rootDir>/lib/http/cookies.test.ts"),
  testSequencer: "<rootDir>/tests/stryker/own-test-first.ts",
  testRunner: "<rootDir>/tests/stryker/jest-circus-first-failure.ts",
};
