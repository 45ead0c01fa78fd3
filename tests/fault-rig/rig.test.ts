import { expect, test } from "@jest/globals";
import { startMailbox } from "../support/mailbox.ts";
import { startService } from "../support/service.ts";
import { judge } from "./invariants.ts";
import { profiles } from "./profiles.ts";
import { run, summaryOf } from "./run.ts";

// `SEED=<text>` repeats the choices of a run. The planted mistakes ask for one profile, another mix and more operations.
const { LONG, SEED = String(performance.timeOrigin), PROFILES, MIX = "{}", OPERATIONS } = process.env;
const operations = Number(OPERATIONS ?? (LONG ? 2_000 : 300));

const service = await startService();
const mailbox = await startMailbox(service);
const { half } = globalThis as unknown as { half: number };
const chosen = Object.entries(profiles).filter(([id], index) =>
  PROFILES ? half === 0 && PROFILES.split(",").includes(id) : index % 2 === half,
);

// Jest wants a test in every file.
if (chosen.length === 0) test.skip("no profile here", () => {});

for (const [id, profile] of chosen) {
  test(`${id}: ${profile.name}`, async () => {
    const seed = `${SEED} ${id}`;
    const outcome = await run(service, mailbox, { profile, seed, operations, mix: JSON.parse(MIX) });
    process.stdout.write(`${id}, SEED=${SEED}: ${summaryOf(outcome)}\n`);
    expect(judge(outcome)).toEqual([]);
  });
}
