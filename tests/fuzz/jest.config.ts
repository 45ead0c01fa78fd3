import { readdirSync, readFileSync } from "node:fs";
import type { Config } from "jest";
import base from "../../jest.config.ts";
import { seededProjects } from "../support/seeded.ts";

const { maxWorkers = "100%", testTimeout = 0, ...settings } = base;
const lib = new URL("../../lib/", import.meta.url);
const properties = readdirSync(lib, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".test.ts"))
  .filter((name) => readFileSync(new URL(name, lib), "utf8").includes('from "fast-check"'))
  .map((name) => `<rootDir>/lib/${name}`);

/**
 * Hostile input for everything that reads some, and the properties of lib/ with 2,500 cases each instead of a hundred, by
 * a fixed seed and by a new one: `npm run test:fuzz`. What it finds becomes a named test beside the reader.
 */
export default {
  ...{ maxWorkers, testTimeout: process.env.LONG ? 8 * 3_600_000 : testTimeout },
  projects: seededProjects(
    {
      ...settings,
      rootDir: `${import.meta.dirname}/../..`,
      testMatch: ["<rootDir>/tests/fuzz/*.test.ts", ...properties],
      testPathIgnorePatterns: ["/node_modules/"],
    },
    2_500,
  ),
} satisfies Config;
