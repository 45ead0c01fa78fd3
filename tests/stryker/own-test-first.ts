import { existsSync, readFileSync } from "node:fs";
import type { Test } from "@jest/test-result";
import { reaches } from "./jest-circus-first-failure.ts";

/**
 * What Jest runs for a mutant of Stryker's: the test files that reach its place, the one beside the mutated file first,
 * since it finds most.
 */
export default class OwnTestFirst {
  sort(tests: Test[]): Test[] {
    const mutant = process.env.__STRYKER_ACTIVE_MUTANT__;
    if (mutant === undefined) return tests;
    const reaching = tests.filter(({ path }) => reaches(path, mutant));
    const own = reaching.filter(({ path }) => sourceOf(path).includes(`("${mutant}")`));
    return [...own, ...reaching.filter((test) => !own.includes(test))];
  }

  shard(tests: Test[]): Test[] {
    return tests;
  }

  allFailedTests(tests: Test[]): Test[] {
    return tests;
  }

  cacheResults(): void {}
}

/** The instrumented source that a test stands beside. */
function sourceOf(testPath: string): string {
  const path = testPath.replace(/\.test\.ts$/, ".ts");
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}
