import base from "../../jest.config.ts";

/** The tests that Stryker runs for its mutants: units, which need no bundles. `npm run test:stryker` */
export default {
  ...base,
  rootDir: "../..",
  globalSetup: undefined,
  setupFiles: ["<rootDir>/tests/stryker/setup.ts"],
  testMatch: ["sessions/*", "tokens/*", "http/cookies"].map((name) => `<rootDir>/lib/${name}.test.ts`),
};
