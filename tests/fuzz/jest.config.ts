import type { Config } from "jest";
import base from "../../jest.config.ts";
import { seededProjects } from "../support/seeded.ts";

const { maxWorkers = "100%", testTimeout = 0, ...settings } = base;

/**
 * Hostile input for everything that reads some, half of it by a fixed seed: `npm run test:fuzz`. What it finds becomes
 * a named test beside the reader.
 */
export default {
  ...{ maxWorkers, testTimeout },
  projects: seededProjects(
    {
      ...settings,
      rootDir: `${import.meta.dirname}/../..`,
      testMatch: ["<rootDir>/tests/fuzz/*.test.ts"],
      testPathIgnorePatterns: ["/node_modules/"],
    },
    50_000,
  ),
} satisfies Config;
