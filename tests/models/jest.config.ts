import base from "../../jest.config.ts";

/** Every order of events, over the real use cases and the real store: `npm run test:models`; LONG=1 looks further. */
export default {
  ...base,
  rootDir: "../..",
  testMatch: ["<rootDir>/tests/models/**/*.test.ts"],
  testPathIgnorePatterns: ["/node_modules/"],
  testTimeout: (process.env.LONG ? 8 : 1) * 3_600_000,
};
