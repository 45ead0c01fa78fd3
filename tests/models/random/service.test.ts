import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { clock } from "../../support/clock.ts";
import { times } from "../../support/randomness.ts";
import { startService } from "../../support/service.ts";
import { commands, keys, logIn, type Real, seen } from "./service/commands.ts";
import { lifetimes, type SessionState } from "./service/session.ts";
import { createWorld } from "./service/world.ts";

// Whatever one user, their browsers, a thief and trouble do in turn, the bundled handlers answer as the model does.
const service = await startService();
const sandboxes = [1, 2].map(() =>
  service.createSandbox({
    ACCESS_TOKEN_TTL_SECONDS: String(lifetimes.access),
    REFRESH_WINDOW_SECONDS: String(lifetimes.window),
    REFRESH_MIN_INTERVAL_SECONDS: String(lifetimes.minInterval),
    REFRESH_TOKEN_TTL_SECONDS: String(lifetimes.sliding),
    SESSION_MAX_AGE_SECONDS: String(lifetimes.absolute),
  }),
);

test("the service answers as the model, command by command", async () => {
  const all = fc.commands(commands, { maxCommands: 100, size: "max" });
  await fc.assert(
    fc.asyncProperty(keys, all, async (key, sequence) => {
      service.wire.mend();
      const account = await service.register();
      const real: Real = { service, sandboxes, account, clients: [], thief: undefined, bytes: new Map() };
      const world = createWorld(clock.now);
      await logIn(key).run(world, real);
      await fc.asyncModelRun(() => ({ model: world, real }), sequence);

      const items = await service.database.sessionsOf(account.userId);
      const known = ({ keyed, createdAt, expiresAt, rotatedAt }: Partial<SessionState>) =>
        JSON.stringify({ keyed, createdAt, expiresAt, rotatedAt });
      expect(items.map((item) => known(item)).sort()).toEqual(
        world.stored.map((state) => known(state)).sort(),
      );
      service.wire.forget();
    }),
    times(40),
  );
  process.stdout.write(
    `${[...seen]
      .map(([outcome, count]) => `${outcome}: ${count}`)
      .sort()
      .join(", ")}\n`,
  );
  // The commands come to what they are about.
  const outcomes = [
    "refresh 200",
    "refresh 400",
    "refresh 503",
    "everywhere 204",
    "password 200",
    "live 400",
    "live 401",
  ];
  expect([...seen.keys()]).toEqual(
    expect.arrayContaining([...outcomes, "login 200", "login 503", "logout 200"]),
  );
}, 3_600_000);
