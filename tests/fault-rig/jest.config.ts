import base from "../../jest.config.ts";

const { maxWorkers, testTimeout: _, ...settings } = base;
const project = {
  ...settings,
  rootDir: `${import.meta.dirname}/../..`,
  testMatch: ["<rootDir>/tests/fault-rig/*.test.ts"],
  testPathIgnorePatterns: ["/node_modules/"],
};

/**
 * The bundled functions behind a wire that loses, delays, repeats and refuses, half of the profiles on each of two
 * cores: `npm run test:faults`. SEED=<text> repeats the choices of a run, LONG=1 takes 2,000 operations of each profile.
 */
export default {
  ...{ maxWorkers, testTimeout: 3_600_000 },
  projects: [0, 1].map((half) => ({ ...project, displayName: `half ${half + 1}`, globals: { half } })),
};
