import { median, quantile } from "./statistics.ts";

/** One of several that are measured against one another. */
export interface Runner {
  name: string;
  /** Makes the input of the next run, perhaps of what the last one returned; p50 and p99 leave its time out, `cpu` does not. */
  prepare?: (last: unknown) => unknown;
  run: (input: unknown) => unknown;
}

/** What one call takes, in microseconds, each figure in its best round. */
export interface Timing {
  p50: number;
  p99: number;
  /** Processor time per call, of all threads, garbage collection included. */
  cpu: number;
}

/** Lets the runners take turns, so that whatever else the machine does befalls them all. */
export async function race(
  runners: Runner[],
  { rounds, calls }: { rounds: number; calls: number },
): Promise<Record<string, Timing>> {
  const measured = runners.map((runner) => ({ runner, last: undefined as unknown, rounds: [] as Timing[] }));
  for (let round = 0; round < rounds; round++) {
    for (const entry of measured) {
      const samples: number[] = [];
      const before = process.cpuUsage();
      for (let index = 0; index < calls; index++) {
        const input = await entry.runner.prepare?.(entry.last);
        const start = process.hrtime.bigint();
        entry.last = await entry.runner.run(input);
        samples.push(Number(process.hrtime.bigint() - start) / 1e3);
      }
      const { user, system } = process.cpuUsage(before);
      entry.rounds.push({
        p50: median(samples),
        p99: quantile(samples, 0.99),
        cpu: (user + system) / calls,
      });
    }
  }
  return Object.fromEntries(
    measured.map(({ runner, rounds: timings }) => [
      runner.name,
      {
        p50: Math.min(...timings.map(({ p50 }) => p50)),
        p99: Math.min(...timings.map(({ p99 }) => p99)),
        cpu: Math.min(...timings.map(({ cpu }) => cpu)),
      },
    ]),
  );
}
