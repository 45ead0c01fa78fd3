import base from "../../jest.config.ts";
import { runSeconds } from "./tree.ts";

/** Mistakes planted into the source (found by named tests) or the traffic (found by the fault rig). `npm run test:mutants` */
export default {
  ...base,
  rootDir: "../..",
  testMatch: ["<rootDir>/tests/mutants/**/*.test.ts"],
  testPathIgnorePatterns: ["/node_modules/"],
  testTimeout: (runSeconds + 60) * 1000,
};
