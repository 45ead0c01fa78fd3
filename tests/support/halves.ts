import base from "../../jest.config.ts";

const { maxWorkers, testTimeout: _, ...settings } = base;

/** A suite of one file on two cores: each takes the half of the cases that it finds as `globalThis.half`. */
export function halves(testMatch: string, more = {}) {
  const project = { ...settings, rootDir: process.cwd(), testMatch: [`<rootDir>/${testMatch}`], ...more };
  const projects = [0, 1].map((half) => ({
    ...{ ...project, testPathIgnorePatterns: ["/node_modules/"] },
    ...{ displayName: `half ${half + 1}`, globals: { half } },
  }));
  return { maxWorkers, testTimeout: 3_600_000, projects };
}
