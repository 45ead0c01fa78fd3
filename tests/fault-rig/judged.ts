import { expect, test } from "@jest/globals";
import { startServices } from "../support/service.ts";
import { judge } from "./invariants.ts";
import { nightProfiles, type Profile, profiles } from "./profiles.ts";
import { run, summaryOf } from "./run.ts";

/** So many operations (requests of clients, repeats aside) a profile, half of them on an engine of each kind. */
const operations = Number(process.env.FAULT_RIG_OPERATIONS ?? (process.env.LONG ? 50_000 : 2_000));
const seed = process.env.SEED ?? String(performance.timeOrigin);

/** Tests that runs under these profiles keep every invariant. */
export async function testProfiles(...ids: string[]): Promise<void> {
  const services = await startServices();
  const all: Record<string, Profile> = { ...profiles, ...nightProfiles };
  const cases = ids.flatMap((id) =>
    services.map((service) => ({ id, service, profile: all[id] as Profile, engine: service.engine })),
  );

  test.each(cases)("$id on $engine: $profile.name", async ({ id, service, profile, engine }) => {
    const outcome = await run({
      service,
      profile,
      seed: `${seed} ${id} ${engine}`,
      operations: operations / services.length,
    });
    process.stdout.write(`${id} on ${engine}, seed ${seed}: ${summaryOf(outcome)}\n`);
    expect(judge(outcome).slice(0, 10)).toEqual([]);
  });
}
