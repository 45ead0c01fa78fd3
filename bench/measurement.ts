import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import type { CallName, Measured } from "./cost.ts";
import type { Measured as Run } from "./measure.ts";
import type { FunctionName } from "./requests.ts";

/** What one run of the benchmark leaves for the cost calculator. */
export interface Measurement {
  date: string;
  machine: string;
  calls: Record<CallName, Measured>;
}

const path = "bench/measured.json";

/** Which function and which row of the warm calls stand for a call. A token is new to a sandbox more often than not. */
const sources: Record<CallName, [FunctionName, scenario: keyof Warm, row: string]> = {
  register: ["register", "others", "register"],
  login: ["login", "login", "login"],
  refresh: ["refresh", "refresh", "refresh"],
  protected: ["movies", "protected", "movies, new token"],
  ask: ["forgotPassword", "others", "forgotPassword"],
  mail: ["mail", "others", "mail"],
};

type Times = NonNullable<Run["times"]>;
type Warm = Times["warm"];

/** Keeps a run. */
export function saveMeasurement(facts: Run["facts"], { cold, warm }: Times): void {
  const calls = Object.entries(sources).map(([call, [name, scenario, row]]) => {
    const { memoryMb, readUnits, writeUnits, logBytes } = facts[name];
    const cpuMs = round((warm[scenario][row]?.cpu ?? Number.NaN) / 1000);
    const { initCpuMs = Number.NaN, firstCpuMs = Number.NaN } = cold[name] ?? {};
    const own = { memoryMb, cpuMs, initMs: round(initCpuMs), firstMs: round(firstCpuMs) };
    return [call, { ...own, readUnits, writeUnits, logBytes }];
  });
  const measurement = {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.version}`,
    calls: Object.fromEntries(calls),
  };
  writeFileSync(path, `${JSON.stringify(measurement, undefined, 2)}\n`);
}

/** The run that was kept last. */
export const readMeasurement = (): Measurement => JSON.parse(readFileSync(path, "utf8"));

const round = (value: number) => Math.round(value * 100) / 100;
