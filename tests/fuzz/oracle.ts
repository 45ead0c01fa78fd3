import { expect } from "@jest/globals";

/** More CPU than this, again and again, is too much for one input. */
const maxMs = 50;

const prototypes = [Object.prototype, Array.prototype, String.prototype, Function.prototype];
const members = () => prototypes.map((prototype) => Reflect.ownKeys(prototype).length);
const untouched = members();

/**
 * Runs what handles one hostile input; gives its result. Fails if it takes over 50 ms of this thread's CPU in each of
 * three tries, or has left something on a prototype.
 */
export function watch<T>(handle: () => T): T {
  const start = process.threadCpuUsage();
  const result = handle();
  if (msSince(start) > maxMs) expect(Math.min(measure(handle), measure(handle))).toBeLessThan(maxMs);
  expectUntouched();
  return result;
}

/** The same for what answers later. */
export async function watchAsync<T>(handle: () => Promise<T>): Promise<T> {
  const start = process.threadCpuUsage();
  const result = await handle();
  if (msSince(start) > maxMs) {
    const again = [await measureAsync(handle), await measureAsync(handle)];
    expect(Math.min(...again)).toBeLessThan(maxMs);
  }
  expectUntouched();
  return result;
}

function expectUntouched(): void {
  // Compared before `expect`, which would take most of the time here.
  if (members().some((count, index) => count !== untouched[index])) expect(members()).toEqual(untouched);
}

function measure(handle: () => unknown): number {
  const start = process.threadCpuUsage();
  handle();
  return msSince(start);
}

async function measureAsync(handle: () => Promise<unknown>): Promise<number> {
  const start = process.threadCpuUsage();
  await handle();
  return msSince(start);
}

function msSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) / 1_000;
}
