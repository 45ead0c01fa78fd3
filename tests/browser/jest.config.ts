import base from "../../jest.config.ts";

/** A real Chromium against `npm start`. `npm run test:browser` */
export default {
  ...base,
  rootDir: "../..",
  testMatch: ["<rootDir>/tests/browser/**/*.test.ts"],
  testPathIgnorePatterns: ["/node_modules/"],
  // Each file starts a service and a browser, and waits for what happens in its own time: renewal.test.ts for minutes.
  maxWorkers: 3,
  testTimeout: 600_000,
};
