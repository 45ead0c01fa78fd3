import { spawn } from "node:child_process";
import { once } from "node:events";
import { pinnedNode } from "./pin.ts";
import type { Timing } from "./race.ts";

/** How often what is done in each scenario: so that none takes more than a minute. */
const sizes = {
  protected: { rounds: 15, calls: 400 },
  refresh: { rounds: 15, calls: 60 },
  login: { rounds: 15, calls: 8 },
  others: { rounds: 7, calls: 20 },
};

/** What each contender takes in each scenario. */
export type Warm = Record<keyof typeof sizes, Record<string, Timing>>;

/** Measures warm calls, each scenario in a process of its own. */
export async function measureWarm(environment: Record<string, string>): Promise<Warm> {
  const timings: Partial<Warm> = {};
  for (const [scenario, { rounds, calls }] of Object.entries(sizes)) {
    const [command = "", ...args] = pinnedNode;
    const child = spawn(
      command,
      [
        ...args,
        "--disable-warning=ExperimentalWarning",
        "bench/warm-probe.ts",
        scenario,
        `${rounds}`,
        `${calls}`,
      ],
      { env: environment, stdio: ["ignore", "ignore", "inherit", "ipc"] },
    );
    const exit = once(child, "exit").then(([code]) => {
      if (code !== 0) throw new Error(`The measuring of ${scenario} failed.`);
    });
    const [[timing]] = await Promise.all([once(child, "message"), exit]);
    timings[scenario as keyof Warm] = timing;
  }
  return timings as Warm;
}
