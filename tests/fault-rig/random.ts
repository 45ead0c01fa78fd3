import { createHash } from "node:crypto";
import { createRandom as createNumbers } from "../support/random.ts";

/** A source of random choices; the same seed makes the same choices. */
export type Random = ReturnType<typeof createRandom>;

/** Makes a source of random choices. */
export function createRandom(seed: string) {
  const next = createNumbers(createHash("sha256").update(seed).digest().readUInt32LE(0));

  return {
    /** From 0 to below 1. */
    next,

    /** True in this share of cases. */
    isTrue: (share: number): boolean => next() < share,

    /** A whole number from 0 to below the limit. */
    below: (limit: number): number => Math.floor(next() * limit),

    /** One of these. */
    pick<T>(items: readonly T[]): T {
      return items[Math.floor(next() * items.length)] as T;
    },

    /** The key of one of these, by their weights. */
    weighted<Name extends string>(weights: Record<Name, number>): Name {
      const entries = Object.entries(weights) as [Name, number][];
      let left = next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
      for (const [name, weight] of entries) {
        left -= weight;
        if (left < 0) return name;
      }
      return (entries.at(-1) as [Name, number])[0];
    },

    /** Log-normal, by its median and its 99th percentile. */
    logNormal(median: number, p99: number): number {
      const normal = Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
      return median * Math.exp((normal * Math.log(p99 / median)) / 2.326);
    },
  };
}
