import { expect } from "@jest/globals";

/** A few passes over the longest input here. Work is counted in characters read, not in time. */
const maxWork = 500_000;

let work = 0;

/** Counts the characters that a function is given to read. */
function count<Name extends string>(owner: Record<Name, unknown>, name: Name): void {
  const original = owner[name] as (this: unknown, ...given: unknown[]) => unknown;
  owner[name] = function (this: unknown, ...given: unknown[]) {
    work += String(typeof this === "string" ? this : given[0]).length;
    return original.apply(this, given);
  };
}

const { exec } = RegExp.prototype;
// All that matches a text calls it; one that goes on from match to match reads only what lies between.
RegExp.prototype.exec = function (text: string) {
  const start = this.global || this.sticky ? this.lastIndex : 0;
  const match = exec.call(this, text);
  const end = match && (this.global || this.sticky) ? this.lastIndex : text.length;
  work += Math.max(0, end - start);
  return match;
};
count(JSON as never, "parse");
count(globalThis as never, "decodeURIComponent");
for (const name of ["normalize", "toLowerCase", "split", "startsWith", "includes"])
  count(String.prototype as never, name);

const prototypes = [Object.prototype, Array.prototype, String.prototype, Function.prototype];
const members = () => prototypes.map((prototype) => Reflect.ownKeys(prototype).length);
const untouched = members();

/** Runs what handles one hostile input. Fails if it reads too much, or has left something on a prototype. */
export function watch<T>(handle: () => T): T {
  work = 0;
  const result = handle();
  expectHarmless();
  return result;
}

export async function watchAsync<T>(handle: () => Promise<T>): Promise<T> {
  work = 0;
  const result = await handle();
  expectHarmless();
  return result;
}

function expectHarmless(): void {
  // Compared before `expect`, which would take most of the time here.
  if (work > maxWork) expect(work).toBeLessThanOrEqual(maxWork);
  if (members().some((count, index) => count !== untouched[index])) expect(members()).toEqual(untouched);
}
