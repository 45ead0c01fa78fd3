import { createRandom } from "../tests/support/random.ts";
import { quantile } from "./statistics.ts";

/** A fleet of sandboxes of one function before one table, and what comes at it. */
export interface Scenario {
  /** Requests per second by users who are spread over all partitions. */
  rate: number;
  /** Requests per second by one more user. */
  hotRate: number;
  seconds: number;
  /** Of each call, beside its wait for DynamoDB; the mean of that wait. */
  cpuMs: number;
  dynamodbMs: number;
  /** What a fresh sandbox takes before its first call. */
  coldMs: number;
  /** Sandboxes that are warm when it begins. */
  warm: number;
  /** How many there may be at once (the account's limit), and how many more every ten seconds. */
  concurrency: number;
  growth: number;
  /** Of the table; each takes 1,000 writes a second. */
  partitions: number;
  /** DynamoDB has moved the hot user to a partition of its own. */
  isHotIsolated: boolean;
}

/** What became of it. */
export interface Outcome {
  p50: number;
  p99: number;
  /** Shares of the requests of all others, and of the one user, that were answered 503 or 429. */
  refused: number;
  hotRefused: number;
  sandboxes: number;
  /** Reads of keys in the busiest second: two per fresh sandbox, of the signing keys and the hash keys. */
  secretReadsPerSecond: number;
}

const writesPerMs = 1;
/** The time after which three attempts of the SDK are over. */
const patienceMs = 300;

/** Plays a scenario in steps of a millisecond; the same seed gives the same outcome. */
export function simulate(scenario: Scenario, seed = 1): Outcome {
  const random = createRandom(seed);
  const { concurrency, growth, coldMs, cpuMs, dynamodbMs, partitions } = scenario;
  const busyUntil = new Float64Array(partitions + 1);
  const released = new Uint32Array(scenario.seconds * 1000 + 10_000);
  const reads = new Uint32Array(scenario.seconds);
  const latencies: number[] = [];
  const count = { all: 0, refused: 0, hot: 0, hotRefused: 0 };
  let [idle, sandboxes] = [scenario.warm, scenario.warm];

  function serve(now: number, isHot: boolean): boolean {
    const allowed = Math.min(concurrency, scenario.warm + growth * (1 + Math.floor(now / 10_000)));
    const isCold = idle === 0;
    if (isCold && sandboxes >= allowed) return false;
    if (isCold) {
      sandboxes++;
      const second = Math.floor(now / 1000);
      reads[second] = (reads[second] ?? 0) + 2;
    } else idle--;
    const start = now + (isCold ? coldMs : 0) + cpuMs;
    const partition = isHot ? (scenario.isHotIsolated ? partitions : 0) : Math.floor(random() * partitions);
    const queued = Math.max(0, (busyUntil[partition] ?? 0) - start);
    const isWritten = queued <= patienceMs;
    if (isWritten) busyUntil[partition] = start + queued + 1 / writesPerMs;
    const end = start + Math.min(queued, patienceMs) - dynamodbMs * Math.log(1 - random());
    const slot = Math.ceil(end);
    released[slot] = (released[slot] ?? 0) + 1;
    if (isWritten && !isHot) latencies.push(end - now);
    return isWritten;
  }

  for (let now = 0; now < scenario.seconds * 1000; now++) {
    idle += released[now] ?? 0;
    for (let arrivals = poisson(scenario.rate / 1000, random); arrivals > 0; arrivals--) {
      count.all++;
      if (!serve(now, false)) count.refused++;
    }
    for (let arrivals = poisson(scenario.hotRate / 1000, random); arrivals > 0; arrivals--) {
      count.hot++;
      if (!serve(now, true)) count.hotRefused++;
    }
  }
  return {
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    refused: count.refused / count.all,
    hotRefused: count.hot === 0 ? 0 : count.hotRefused / count.hot,
    sandboxes,
    secretReadsPerSecond: Math.max(...reads),
  };
}

/** How many come in one step, when `mean` come on average (Knuth). */
function poisson(mean: number, random: () => number): number {
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count++;
  return count;
}
