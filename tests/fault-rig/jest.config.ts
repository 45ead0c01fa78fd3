import base from "../../jest.config.ts";

const isLong = process.env.LONG !== undefined;

/** The service behind a proxy that loses, delays, repeats and refuses; `npm run test:faults` */
export default {
  ...base,
  rootDir: "../..",
  testMatch: ["<rootDir>/tests/fault-rig/**/*.test.ts"],
  testPathIgnorePatterns: ["/node_modules/", ...(isLong ? [] : ["/night\\.test\\.ts$"])],
  // One for each file of CI: many of the profiles wait most of the time.
  maxWorkers: 5,
  testTimeout: isLong ? 4 * 3_600_000 : 600_000,
};
