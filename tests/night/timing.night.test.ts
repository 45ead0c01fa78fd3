import { randomUUID } from "node:crypto";
import { expect, test } from "@jest/globals";
import type { LambdaHandler } from "../../lib/http/route.ts";
import { clock } from "../support/clock.ts";
import { createEvent } from "../support/event.ts";
import { keepSecrets } from "../support/log.ts";
import { createContext, loadHandler } from "../support/sandbox.ts";
import { startService } from "../support/service.ts";

const service = await startService();
const login = await loadHandler("login", service.environment);
const { passwordHash } =
  (await service.database.find("users", { userId: (await service.register()).userId })) ?? {};
/** The same password with one pass instead of two: half the work, as if a part of the check were left out. */
const halfHash = passwordHash.replace(",t=2,", ",t=1,");
keepSecrets(halfHash);

const newEmail = () => `${randomUUID()}@example.com`;

/** Stores this many accounts, each for one attempt: five are free, and this is not a test of the limit. */
async function storeAccounts(count: number, hash: string): Promise<string[]> {
  const accounts = Array.from({ length: count }, () => ({
    ...{ email: newEmail(), userId: randomUUID(), passwordHash: hash },
    ...{ sessionEpoch: 0, sweptEpoch: 0, createdAt: clock.now },
  }));
  const toEntry = ({ email, userId, createdAt }: (typeof accounts)[number]) => {
    return { identity: `email:${email}`, userId, createdAt };
  };
  await service.database.putAll("users", accounts);
  await service.database.putAll("identities", accounts.map(toEntry));
  return accounts.map(({ email }) => email);
}

/** How long a refused login takes, in milliseconds. */
async function timeLogin(handler: LambdaHandler, email: string): Promise<number> {
  const event = createEvent("login", { body: { email, password: "not the right password" } });
  const start = performance.now();
  const { statusCode } = await handler(event, createContext());
  const duration = performance.now() - start;
  if (statusCode !== 401) throw new Error(`a refused login is a ${statusCode}`);
  return duration;
}

/** Logs in to accounts that exist and to as many that do not, in turns, and gives the p-value of their durations. */
async function compare(accounts: string[]): Promise<number> {
  const known: number[] = [];
  const unknown: number[] = [];
  for (const [index, email] of accounts.entries()) {
    const tries = [
      async () => known.push(await timeLogin(login, email)),
      async () => unknown.push(await timeLogin(login, newEmail())),
    ];
    // Whichever comes second finds a warmer machine.
    for (const attempt of index % 2 ? tries : tries.toReversed()) await attempt();
  }
  return rankTest(known, unknown);
}

test("A02 an account that exists and one that does not take equally long, over 400 pairs in turns", async () => {
  await compare(await storeAccounts(10, passwordHash));
  let p = 0;
  // Equal durations fail one run in a thousand; different ones fail all three.
  for (let run = 1; run <= 3 && p <= 0.001; run++) p = await compare(await storeAccounts(400, passwordHash));
  expect(p).toBeGreaterThan(0.001);
}, 900_000);

test("A02 the same comparison does find a check that does half the work", async () => {
  let p = 1;
  for (let run = 1; run <= 3 && p > 0.001; run++) p = await compare(await storeAccounts(40, halfHash));
  expect(p).toBeLessThanOrEqual(0.001);
}, 300_000);

test("the rank test is the one of Mann and Whitney", () => {
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
  expect(rankTest(range(0, 50), range(0, 50))).toBeCloseTo(1, 6);
  // U = 5,000 of 0…10,000 has the mean 5,000; a shift by 20 of 100 gives U = 3,200 and z = 4.40.
  expect(rankTest(range(0, 100), range(20, 120))).toBeCloseTo(1.09e-5, 6);
  expect(rankTest(range(0, 100), range(100, 200))).toBeLessThan(1e-30);
});

/** The two-sided p-value of the Mann–Whitney U test, by its normal approximation; ties count half. */
function rankTest(a: number[], b: number[]): number {
  const u = a.reduce((sum, x) => sum + b.reduce((below, y) => below + (y < x ? 1 : y === x ? 0.5 : 0), 0), 0);
  const z =
    Math.abs(u - (a.length * b.length) / 2) /
    Math.sqrt((a.length * b.length * (a.length + b.length + 1)) / 12);
  return 2 * upperTail(z);
}

/** The upper tail of the normal distribution (Abramowitz and Stegun, 26.2.17; an error below 1e-7). */
function upperTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const factors = [1.330274429, -1.821255978, 1.781477937, -0.356563782, 0.31938153];
  const sum = factors.reduce((value, factor) => value * t + factor, 0) * t;
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * sum;
}
