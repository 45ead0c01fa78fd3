import fc from "fast-check";
import type { Randomness } from "./seeded.ts";

const { seed, numRuns, factor } = (globalThis as unknown as { randomness: Randomness }).randomness;

// Loaded before each test file of seededProjects: every property of the file has its seed.
fc.configureGlobal({ seed, numRuns });

/** This number of cases; in a long run more. */
export function times(count: number): { numRuns: number } {
  return { numRuns: count * factor };
}
