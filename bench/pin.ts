import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";

const cores = availableParallelism();
const hasTaskset = cores > 1 && spawnSync("taskset", ["--version"]).status === 0;

/** How a measured process is started: on the last core, which it then shares with nothing of ours. */
export const pinnedNode: string[] = hasTaskset
  ? ["taskset", "-c", String(cores - 1), process.execPath]
  : [process.execPath];

/** Keeps this process, with the engine in it, off the core of the measured ones. */
export function stepAside(): void {
  if (hasTaskset) spawnSync("taskset", ["-a", "-c", "-p", `0-${cores - 2}`, String(process.pid)]);
}
