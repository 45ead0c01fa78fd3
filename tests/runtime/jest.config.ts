import base from "../../jest.config.ts";

/** The zips in AWS's own runtime client for Node. `npm run test:runtime` */
export default {
  ...base,
  rootDir: "../..",
  testMatch: ["<rootDir>/tests/runtime/**/*.test.ts"],
  testPathIgnorePatterns: ["/node_modules/"],
};
