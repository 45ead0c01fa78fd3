import base from "../../jest.config.ts";

const { maxWorkers, testTimeout: _, globalSetup: __, ...settings } = base;
const project = {
  ...settings,
  rootDir: `${import.meta.dirname}/../..`,
  testMatch: ["<rootDir>/tests/planted-mistakes/*.test.ts"],
  testPathIgnorePatterns: ["/node_modules/"],
};

/** Mistakes planted into the source, each found by the tests named beside it, half of them on each of two cores. */
export default {
  ...{ maxWorkers, testTimeout: 3_600_000 },
  projects: [0, 1].map((half) => ({ ...project, displayName: `half ${half + 1}`, globals: { half } })),
};
