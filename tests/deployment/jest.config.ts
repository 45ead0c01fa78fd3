import base from "../../jest.config.ts";

/** What is deployed: templates, zips, settings, keys. `npm run test:deployment` */
export default {
  ...base,
  rootDir: "../..",
  testMatch: ["<rootDir>/tests/deployment/**/*.test.ts"],
  testPathIgnorePatterns: ["/node_modules/"],
  // A package takes seconds; beside other work much longer, and no time is measured here.
  testTimeout: 600_000,
};
