import base from "../../jest.config.ts";

/** A real Chromium against `npm start`. `npm run test:browser` */
export default {
  ...base,
  rootDir: "../..",
  testMatch: ["<rootDir>/tests/browser/**/*.test.ts"],
  testPathIgnorePatterns: ["/node_modules/"],
  // Each file starts a service and a browser; one of them waits most of the time.
  maxWorkers: 2,
  testTimeout: 600_000,
};
