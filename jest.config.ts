import { availableParallelism } from "node:os";
import type { Config } from "jest";

/** Native ESM: middy exports only the `import` condition, and the bundles under test are ES modules. */
const config: Config = {
  testEnvironment: "node",
  globalSetup: "<rootDir>/tests/global-setup.ts",
  setupFiles: ["<rootDir>/tests/support/remembered-hashes.ts"],
  testMatch: [
    "<rootDir>/lib/**/*.test.ts",
    "<rootDir>/build/**/*.test.ts",
    "<rootDir>/own/**/*.test.ts",
    "<rootDir>/tests/**/*.test.ts",
  ],
  // Suites with a command and a configuration of their own.
  testPathIgnorePatterns: [
    "/node_modules/",
    "<rootDir>/tests/(deployment|fault-rig|fuzz|models|planted-mistakes|browser|runtime|night|packages)/",
  ],
  extensionsToTreatAsEsm: [".ts"],
  transform: {
    "^.+\\.ts$": [
      "@swc/jest",
      { jsc: { target: "es2024", parser: { syntax: "typescript" } }, module: { type: "es6" } },
    ],
  },
  moduleNameMapper: {
    "^data-file:common-passwords.txt$": "<rootDir>/tests/support/common-passwords-file.ts",
    "^data-file:foreign-hash.mjs$": "<rootDir>/tests/support/foreign-hash-file.ts",
  },
  modulePathIgnorePatterns: ["<rootDir>/.local", "<rootDir>/.serverless", "<rootDir>/.esbuild"],
  // Jest would leave a core idle. Three at least: some tests wait for what takes its time.
  maxWorkers: Math.max(3, availableParallelism()),
  testTimeout: 120_000,
};

export default config;
