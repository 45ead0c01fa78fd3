import { readdirSync, readFileSync } from "node:fs";
import type { Config } from "jest";
import base from "../../jest.config.ts";
import { seededProjects } from "../support/seeded.ts";

const { maxWorkers = "100%", testTimeout = 0, ...settings } = base;
const project: Config = {
  ...settings,
  rootDir: `${import.meta.dirname}/../..`,
  testPathIgnorePatterns: ["/node_modules/"],
};
const lib = new URL("../../lib/", import.meta.url);
const properties = readdirSync(lib, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".test.ts"))
  .filter((name) => readFileSync(new URL(name, lib), "utf8").includes('from "fast-check"'))
  .map((name) => `<rootDir>/lib/${name}`);

/**
 * Models, and the properties of lib/ with 10,000 cases each instead of a hundred: `npm run test:models`. What is drawn
 * at random is drawn twice, by two seeds.
 */
export default {
  ...{ maxWorkers, testTimeout },
  projects: [
    { ...project, displayName: "every order", testMatch: ["<rootDir>/tests/models/*.test.ts"] },
    ...seededProjects(
      { ...project, testMatch: ["<rootDir>/tests/models/random/*.test.ts", ...properties] },
      5_000,
    ),
  ],
} satisfies Config;
