import base from "../../jest.config.ts";

/** What is judged by time, and what takes an hour: `npm run test:timing`, at night, on a machine that does nothing else. */
export default {
  ...base,
  rootDir: `${import.meta.dirname}/../..`,
  testMatch: ["<rootDir>/tests/night/*.night.test.ts"],
  testPathIgnorePatterns: ["/node_modules/"],
  maxWorkers: 1,
  // The engine and the servers of a stage (bench/stage.ts) end with the process
  forceExit: true,
};
