import type { Config } from "jest";

/** What the random cases of a test file are made by; a test file finds it as `globalThis.randomness`. */
export interface Randomness {
  seed: number;
  /** Cases of a property that asks for no other number. */
  numRuns: number;
  /** By how much the other numbers grow. */
  factor: number;
}

/** The seed that every run in CI has in common. */
const fixedSeed = 20_260_101;

/**
 * Two projects of one suite: one with the cases of a fixed seed, one with those of a new seed, which Jest prints with
 * every result. `SEED=<number>` repeats one of them alone, `LONG=1` takes a night.
 */
export function seededProjects(config: Config, numRuns: number): Config[] {
  const { SEED, LONG } = process.env;
  const factor = LONG ? 100 : 1;
  const seeds = SEED ? [Number(SEED)] : [fixedSeed, Math.floor(Math.random() * 2 ** 31)];
  return seeds.map((seed) => {
    return {
      ...config,
      displayName: `SEED=${seed}`,
      globals: { randomness: { seed, numRuns: numRuns * factor, factor } satisfies Randomness },
      setupFiles: [...(config.setupFiles ?? []), "<rootDir>/tests/support/randomness.ts"],
    };
  });
}
