import base from "../../jest.config.ts";

/** What is judged by time: `npm run test:timing`, at night, on a machine that does nothing else. */
export default {
  ...base,
  rootDir: `${import.meta.dirname}/../..`,
  testMatch: ["<rootDir>/tests/night/*.night.test.ts"],
  testPathIgnorePatterns: ["/node_modules/"],
  maxWorkers: 1,
};
