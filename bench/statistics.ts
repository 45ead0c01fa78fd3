/** The value below which a share of the samples lies (nearest rank). Throws RangeError without samples. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new RangeError("no samples");
  return value;
}

/** The middle value. */
export const median = (samples: readonly number[]): number => quantile(samples, 0.5);
