import { createHash } from "node:crypto";
import { createRandom as createNumbers } from "../support/random.ts";

export type Random = ReturnType<typeof createRandom>;

export function createRandom(seed: string) {
  const next = createNumbers(createHash("sha256").update(seed).digest().readUInt32LE(0));

  return {
    isTrue: (share: number): boolean => next() < share,

    below: (limit: number): number => Math.floor(next() * limit),

    pick: <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)] as T,

    /** The key of one of these, by their weights. */
    weighted<Name extends string>(weights: Record<Name, number>): Name {
      const entries = Object.entries(weights) as [Name, number][];
      let left = next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
      const found = entries.find(([, weight]) => {
        left -= weight;
        return left < 0;
      });
      return (found ?? (entries.at(-1) as [Name, number]))[0];
    },
  };
}
