import { expect, test } from "@jest/globals";
import { startServices } from "../support/service.ts";
import { judge } from "./invariants.ts";
import { nightProfiles, type Profile, profiles } from "./profiles.ts";
import { run, summaryOf } from "./run.ts";

/** So many operations (requests of clients, repeats aside) a profile; sandboxes on an engine of each kind share them. */
const operations = Number(process.env.FAULT_RIG_OPERATIONS ?? (process.env.LONG ? 50_000 : 2_000));
const seed = process.env.SEED ?? String(performance.timeOrigin);

/** Tests that runs under these profiles keep every invariant. */
export async function testProfiles(...ids: string[]): Promise<void> {
  const services = await startServices();
  const all: Record<string, Profile> = { ...profiles, ...nightProfiles };
  const cases = ids.map((id) => ({ id, profile: all[id] as Profile }));

  test.each(cases)("$id: $profile.name", async ({ id, profile }) => {
    const outcome = await run({ services, profile, seed: `${seed} ${id}`, operations });
    process.stdout.write(`${id}, seed ${seed}: ${summaryOf(outcome)}\n`);
    expect(judge(outcome).slice(0, 10)).toEqual([]);
  });
}
