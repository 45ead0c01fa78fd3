import base from "../../jest.config.ts";

/** Models: every schedule of a refresh and of a login. `npm run test:models` */
export default {
  ...base,
  rootDir: "../..",
  testMatch: ["<rootDir>/tests/models/**/*.test.ts"],
  testPathIgnorePatterns: ["/node_modules/"],
};
