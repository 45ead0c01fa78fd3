import { expect, test } from "@jest/globals";
import { createRefresh } from "../../lib/auth/session/refresh.ts";
import { classify } from "../../lib/sessions/rotation.ts";
import { createActions, type Scope } from "./rotation/actions.ts";
import { type Exploration, explore } from "./rotation/explore.ts";
import { mistakes } from "./rotation/mistakes.ts";
import { transcribeRefresh } from "./rotation/refresh-transcription.ts";
import { type Table, table } from "./rotation/table.ts";
import { createNextStep } from "./rotation/use-case.ts";
import type { World } from "./rotation/world.ts";

/**
 * Every schedule of refreshes, repeats, a thief, a logout and late or repeated writes, up to a number of events, over
 * the real use cases and the conditions of the sessions table. A request is sent, starts, reaches the table and is
 * answered at any time within its 12 s, or never.
 */
const lifetimes = { refreshWindowSeconds: 10, refreshMinIntervalSeconds: 30, refreshTokenTtlSeconds: 7200 };

/** One browser, several tabs, one key, nobody else. */
const honest: Scope = {
  keyed: true,
  browserKey: "the browser's",
  browserWaitsSeconds: 0,
  thiefKeys: [],
  hasLogout: false,
  jumps: [12, 16, 31],
  underWaySeconds: 12,
  returnsItemOnFailure: true,
};
const keyed: Scope = { ...honest, thiefKeys: ["the thief's"], hasLogout: true, jumps: [12, 31] };
const unkeyed: Scope = { ...keyed, keyed: false, browserKey: null, thiefKeys: [null], jumps: [5, 31] };

interface Options {
  windowSeconds?: number;
  table?: Table;
  refresh?: typeof createRefresh;
}

function exploreScope(scope: Scope, depth: number, options: Options = {}): Promise<Exploration> {
  const { refreshWindowSeconds, ...others } = lifetimes;
  const nextStep = createNextStep(options.refresh ?? createRefresh, {
    refreshWindowSeconds: options.windowSeconds ?? refreshWindowSeconds,
    ...others,
  });
  const start: World = {
    item: {
      ...{ token: "0#0", previous: null, salt: null, rotatedAt: null, key: null },
      ...{ keyed: scope.keyed, expiresAt: lifetimes.refreshTokenTtlSeconds },
    },
    jar: { token: "0#0", rotatedAt: null },
    stolen: [],
    isAheadOfTheft: { browser: false, thief: false },
    isLogoutAnswered: false,
    requests: [],
    copies: [],
    salts: 1,
  };
  return explore(start, createActions(scope, options.table ?? table, nextStep), depth);
}

function expectNoViolation({ violation }: Exploration): void {
  const text = violation && [violation.error.message, ...violation.schedule].join("\n");
  expect(text).toBeUndefined();
}

const held: { name: string; scope: Scope; depth: number; windowSeconds?: number }[] = [
  {
    name: "tabs of one browser with its key that leave a fresh pair alone for 60 s never lose the session",
    scope: { ...honest, browserWaitsSeconds: 60 },
    depth: 8,
  },
  {
    name: "tabs that refresh at any time never lose it if no request takes longer than 7 s",
    scope: { ...honest, jumps: [7, 15, 31], underWaySeconds: 7 },
    depth: 7,
  },
  { name: "keyed session, thief without the key, logout", scope: keyed, depth: 6 },
  { name: "keyed session, window 0", scope: keyed, depth: 5, windowSeconds: 0 },
  {
    name: "keyed session, thief with the key",
    scope: { ...keyed, thiefKeys: [honest.browserKey] },
    depth: 5,
  },
  {
    name: "keyed session, thief who may send no key",
    scope: { ...keyed, thiefKeys: [null, "the thief's"] },
    depth: 5,
  },
  { name: "keyed session, its time runs out", scope: { ...keyed, jumps: [12, 3600] }, depth: 5 },
  { name: "unkeyed session, window 10, thief, logout", scope: unkeyed, depth: 6 },
  { name: "unkeyed session, window 0", scope: unkeyed, depth: 5, windowSeconds: 0 },
  {
    name: "unkeyed session whose client sends a key all the same",
    scope: { ...unkeyed, browserKey: honest.browserKey },
    depth: 5,
  },
  { name: "unkeyed session, its time runs out", scope: { ...unkeyed, jumps: [12, 3600] }, depth: 5 },
  {
    name: "an engine that does not return the item of a failed condition",
    scope: { ...keyed, returnsItemOnFailure: false },
    depth: 5,
  },
];

test.each(held)("every invariant holds: $name", async ({ name, scope, depth, windowSeconds }) => {
  const seen = await exploreScope(scope, depth, windowSeconds === undefined ? {} : { windowSeconds });
  process.stdout.write(
    `${name}: ${seen.schedules.toExponential(1)} schedules of ${depth} events ` +
      `(${seen.worlds} worlds, ${seen.transitions} transitions)\n`,
  );
  expectNoViolation(seen);
  expect(seen.transitions).toBeGreaterThan(10_000);
});

// A proven repeat of at most half the interval does not re-arm; its answer may come 12 s later, and a tab's request
// with the old pair, sent just before, another 12 s later: by then the successor may have been rotated away.
test("known limit: a tab that refreshes a pair younger than the interval can overtake a request 12 s under way", async () => {
  const { violation } = await exploreScope({ ...honest, jumps: [12] }, 7);
  expect(violation?.error.invariant).toBe("honestKeepsSession");
});

test("the transcription used for planted mistakes is the real use case, schedule by schedule", async () => {
  for (const scope of [keyed, unkeyed]) {
    const real = await exploreScope(scope, 4);
    expect(await exploreScope(scope, 4, { refresh: transcribeRefresh(classify) })).toEqual(real);
  }
});

const scopes = { honest: { ...honest, browserWaitsSeconds: 60 }, eager: honest, keyed, unkeyed };

test.each(mistakes)("a planted mistake breaks $invariant: $name", async (mistake) => {
  const { scope, depth, invariant } = mistake;
  const { violation } = await exploreScope({ ...scopes[scope.base], ...scope.with }, depth, {
    ...(mistake.windowSeconds !== undefined && { windowSeconds: mistake.windowSeconds }),
    ...(mistake.table && { table: { ...table, ...mistake.table } }),
    ...(mistake.classify && { refresh: transcribeRefresh(mistake.classify) }),
  });
  expect(violation?.error.invariant).toBe(invariant);
});
