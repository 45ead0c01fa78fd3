import base from "../../jest.config.ts";

/** What is deployed: templates, zips, settings, keys. `npm run test:deployment` */
export default {
  ...base,
  rootDir: "../..",
  testMatch: ["<rootDir>/tests/deployment/**/*.test.ts"],
  testPathIgnorePatterns: ["/node_modules/"],
};
