import base from "../../jest.config.ts";
import { runSeconds } from "./tree.ts";

/** Mistakes planted into the source, each found by a named test. `npm run test:mutants` */
export default {
  ...base,
  rootDir: "../..",
  globalSetup: undefined,
  testMatch: ["<rootDir>/tests/mutants/**/*.test.ts"],
  testPathIgnorePatterns: ["/node_modules/"],
  testTimeout: (runSeconds + 60) * 1000,
};
