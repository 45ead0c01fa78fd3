import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import type { ApiResponse } from "../lib/http/response.ts";
import { invokeFresh } from "../tests/support/fresh-process.ts";
import { bundleOf } from "./bundle-paths.ts";
import { assertDone } from "./call.ts";
import { wholeCoreMb } from "./cost.ts";
import { pinnedNode } from "./pin.ts";
import { createRequests } from "./requests.ts";
import { median } from "./statistics.ts";

/** What a cold start takes at one size of memory, in milliseconds: INIT with a whole core, the first request with a share of it. */
export interface SharedStart {
  initMs: number;
  firstMs: number;
}

/** By function and size of memory in MB. */
export type SharedStarts = Record<string, Record<number, SharedStart>>;

/** The sizes that are tried, in MB. */
export const memorySizes = [256, 512, 1_024, wholeCoreMb];
/** One of each kind: without a database, with one, with keys, with a password. */
const names = ["movies", "listSessions", "refresh", "login"] as const;
/** Linux gives a share in periods, and so does Lambda. Microseconds. */
const period = 20_000;

/**
 * Measures cold starts as Lambda runs them. A process gets its share of a core by a control group of Linux (version 1 or 2), which
 * it enters after INIT; undefined where this process may make none.
 */
export async function measureShares(
  environment: Record<string, string>,
  rounds: number,
): Promise<SharedStarts | undefined> {
  const group = openGroup();
  if (!group) return undefined;
  const requests = await createRequests();
  const last: Record<string, ApiResponse> = {};
  const starts: Record<string, Record<number, SharedStart[]>> = {};
  for (let round = 0; round < rounds; round++) {
    for (const memoryMb of memorySizes) {
      group.limit(Math.min(1, memoryMb / wholeCoreMb));
      for (const name of names) {
        const options = { command: pinnedNode, cgroup: group.processes };
        const start = await invokeFresh(
          bundleOf(name),
          environment,
          await requests[name](last[name]),
          options,
        );
        assertDone(name, start.response);
        last[name] = start.response;
        const { initMs, ms } = start;
        const found = [...(starts[name]?.[memoryMb] ?? []), { initMs, firstMs: ms - initMs }];
        starts[name] = { ...starts[name], [memoryMb]: found };
      }
    }
  }
  group.close();
  return mapValues(starts, (bySize) =>
    mapValues(bySize, (found) => ({
      initMs: median(found.map(({ initMs }) => initMs)),
      firstMs: median(found.map(({ firstMs }) => firstMs)),
    })),
  );
}

function openGroup() {
  const isFirstVersion = existsSync("/sys/fs/cgroup/cpu/cgroup.procs");
  const folder = `/sys/fs/cgroup/${isFirstVersion ? "cpu/" : ""}bench-${process.pid}`;
  const set = (file: string, text: string) => writeFileSync(`${folder}/${file}`, text);

  function limit(share: number): void {
    const quota = Math.round(share * period);
    if (isFirstVersion) set("cpu.cfs_period_us", `${period}`);
    if (isFirstVersion) set("cpu.cfs_quota_us", `${quota}`);
    else set("cpu.max", `${quota} ${period}`);
  }

  try {
    mkdirSync(folder);
    limit(1);
  } catch {
    return undefined;
  }
  return { limit, processes: `${folder}/cgroup.procs`, close: () => rmdirSync(folder) };
}

function mapValues<V, W>(record: Record<string, V>, map: (value: V) => W): Record<string, W> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
