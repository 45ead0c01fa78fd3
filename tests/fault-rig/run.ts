import { randomUUID } from "node:crypto";
import { clock } from "../support/clock.ts";
import type { Database } from "../support/database.ts";
import { log } from "../support/log.ts";
import type { Account } from "../support/service.ts";
import { type Browser, createBrowser, type RigUser } from "./browser.ts";
import { killAt, moments, startVictim } from "./crash.ts";
import type { Profile } from "./profiles.ts";
import { createRandom, type Random } from "./random.ts";
import { numberOf } from "./recorder.ts";
import { type Call, createRig, type Rig, type RigServices, requestOf } from "./rig.ts";
import { createThief, forge, type Thief } from "./thief.ts";

/** What is known when a run is over; invariants.ts judges it. */
export interface Run extends Pick<Rig, "calls" | "sessions" | "spreadSeconds" | "profile"> {
  recorder: Pick<Rig["recorder"], "sessions" | "violations" | "slowShare">;
  windowSeconds: number;
  /** From here on all faults were mended, and each browser with a pair refreshed, on each engine. */
  mendedAt: number;
  lines: ReturnType<typeof log.entries>;
}

interface RunOptions {
  services: RigServices;
  profile: Profile;
  seed: string;
  /** How many requests the clients make at least; those that repeat one after a 503 or silence do not count. */
  operations: number;
  /** Weights other than the usual ones. */
  mix?: Partial<typeof usualMix>;
  /** How many users there are. */
  users?: number;
  /** Asked after every round; the run ends when it says so. */
  isOver?: (sofar: Run) => boolean;
}

/** How often a browser that is logged in does what; one that is not logs in. */
const usualMix = {
  ...{
    refresh: 71,
    live: 8,
    movies: 3,
    login: 1,
    logout: 4,
    endAll: 2,
    changePassword: 1,
    steal: 3,
    forge: 3,
  },
};

const usersPerRun = 12;
const browsersPerUser = 2;
/** So many acts of browsers, thieves and forgers, of which so many at once, between two jumps of the clock. */
const actsPerRound = 50;
const parallel = 6;
/** The clock goes on by so much at most while requests are under way: all clocks together by less than the window. */
const roundSeconds = 5;

/** Runs so many operations against the services behind the faults of a profile. */
export async function run({ services, profile, seed, operations, ...options }: RunOptions): Promise<Run> {
  log.clear();
  const mix = { ...usualMix, ...options.mix };
  const [{ database, register }] = services;
  const account = await register();
  const rig = await createRig({ services, profile, seed });
  const { random } = rig;
  const browsers = await createBrowsers(rig, { database, account, users: options.users ?? usersPerRun });
  let thieves: Thief[] = [];

  async function act(index: number): Promise<void> {
    const own = createRandom(`${seed} act ${index}`);
    const browser = own.pick(browsers);
    const what = own.weighted(mix);
    const { pair } = browser;
    if (!pair) return browser.login();
    if (what === "forge") return forgeOne(browser, own);
    if (what !== "steal") return browser[what]();
    // Half of the thefts are acts of those who have stolen before.
    const thief = thieves.length > 3 || own.isTrue(0.5) ? thieves.shift() : undefined;
    if (!thief) return void thieves.push(createThief(rig, browser, own));
    await thief.act();
    if (!thief.isDone) thieves.push(thief);
  }

  async function forgeOne(browser: Browser, own: Random): Promise<void> {
    const other = own.pick(browsers).pair;
    if (browser.pair && other && other.key.sessionId !== browser.pair.key.sessionId)
      await forge(rig, browser, browser.pair, other, own);
  }

  async function runRound(round: number): Promise<void> {
    const last = round * actsPerRound;
    let next = last - actsPerRound;
    let left = (profile.skewSeconds ?? 0) > 0 ? roundSeconds - 2 : roundSeconds;
    const worker = async () => {
      while (next < last && rig.operations < operations) {
        const index = next++;
        if (left > 0 && random.isTrue((2 * roundSeconds) / actsPerRound)) {
          clock.advance(1);
          left--;
        }
        await act(index);
      }
    };
    await Promise.all(Array.from({ length: parallel }, worker));
    await rig.settle();
  }

  let kills = 0;
  for (let round = 1; rig.operations < operations; round++) {
    const isOutage = profile.outageEvery !== undefined && round % profile.outageEvery === 0;
    rig.setAway(isOutage);
    await runRound(round);
    rig.setAway(false);
    if (isOutage) {
      clock.advance(60);
      await Promise.all(browsers.map((browser) => browser.pair && browser.renew()));
      await rig.settle();
    } else clock.advance(random.pick(jumps)(random));
    if (profile.deletesExpired) await deleteExpired(rig, database);
    thieves = thieves.filter(({ isDone }) => !isDone);
    if (profile.killsEvery && rig.operations >= (kills + 1) * profile.killsEvery) {
      kills++;
      await killOne(rig, random.pick(browsers));
    }
    if (options.isOver?.(outcomeOf(rig))) break;
  }

  rig.mend();
  clock.advance(60);
  const mendedAt = rig.tick();
  // Those who stole come first: their victims notice.
  for (const thief of thieves) await thief.act();
  for (const { engine } of services) {
    rig.setEngine(engine);
    for (const browser of browsers) if (browser.pair) await browser.renew();
    clock.advance(60);
  }
  await rig.settle();
  for (const { wire } of services) wire.mend();
  const outcome = outcomeOf(rig, mendedAt);
  log.settle();
  return outcome;
}

function outcomeOf(
  { calls, sessions, spreadSeconds, recorder, profile }: Rig,
  mendedAt = Number.POSITIVE_INFINITY,
): Run {
  return {
    calls,
    sessions,
    spreadSeconds,
    profile,
    recorder,
    windowSeconds: 10,
    mendedAt,
    lines: log.entries(),
  };
}

/** A refresh of this browser is killed; it knows nothing of what became of it. */
async function killOne(rig: Rig, { pair, key, user }: Browser): Promise<void> {
  if (!pair) return;
  const asked = { route: "refresh", by: "browser", email: user.email, presented: pair, key } as const;
  const [, embedded] = rig.services;
  const begun = rig.begin(asked, embedded.engine);
  const victim = startVictim(embedded, "refresh", requestOf(asked));
  rig.setKill(killAt(rig.random.pick(moments), victim.kill));
  await victim.ended;
  rig.setKill(undefined);
  rig.end(begun, undefined, 0);
  await rig.settle();
}

/** Most pairs are renewed while their JWT lives, some after it, some late. */
const jumps: ((random: Random) => number)[] = [
  (random) => random.below(10),
  (random) => 10 + random.below(20),
  (random) => 30 + random.below(60),
  (random) => 100 + random.below(700),
  (random) => 890 + random.below(30),
  (random) => 1_000 + random.below(2_000),
];

/** All users have the password of an account that was registered before the faults began: hashing one for each takes long. */
async function createBrowsers(
  rig: Rig,
  { database, account, users }: { database: Database; account: Account; users: number },
): Promise<Browser[]> {
  const { email, password } = account;
  const registered = await database.find("users", { email });
  const browsers: Browser[] = [];
  for (let number = 0; number < users; number++) {
    const item = { ...registered, email: `${number}-${email}`, userId: randomUUID() };
    await database.put("users", item);
    const user: RigUser = { email: item.email, userId: item.userId, passwords: [password] };
    for (let i = 0; i < browsersPerUser; i++) {
      const random = createRandom(`${rig.seed} browser ${number} ${i}`);
      const key = random.isTrue(0.6) ? `browser-${randomUUID()}` : undefined;
      browsers.push(createBrowser(rig, user, { random, ...(key !== undefined && { key }) }));
    }
  }
  return browsers;
}

/** Some of the items whose time is over go, as DynamoDB does it: not at once, and not all. */
async function deleteExpired({ recorder, random }: Rig, database: Database): Promise<void> {
  for (const [sessionId, { last, deletedAt }] of recorder.sessions) {
    const { userId, expiresAt } = last.item;
    if (deletedAt !== undefined || numberOf(expiresAt) > clock.now - 10 || random.isTrue(0.5)) continue;
    const key = { userId: String(userId?.S), sessionId };
    await database.delete("sessions", key);
    recorder.noteDeletion("sessions", { userId: { S: key.userId }, sessionId: { S: sessionId } });
  }
}

/** What happened in a run, in a line. */
export function summaryOf({ calls, sessions, recorder, lines, profile }: Run): string {
  const count = (filter: (call: Call) => boolean) => calls.filter(filter).length;
  const durations = calls.map(({ durationMs }) => durationMs).sort((a, b) => a - b);
  const facts = {
    calls: calls.length,
    "503": count(({ status }) => status === 503),
    "logins refused": count(({ route, status }) => route === "login" && (status === 401 || status === 429)),
    unheard: count(({ isHeard }) => !isHeard),
    sessions: recorder.sessions.size,
    stolen: [...sessions.values()].filter(({ stolenAt }) => stolenAt !== undefined).length,
    noticed: lines.filter(({ event }) => event === "authn_token_reuse").length,
    forged: count(({ by }) => by === "forger"),
    "slow engine": `${(recorder.slowShare() * 100).toFixed(1)} %`,
    "p50 ms": Math.round(durations[durations.length >> 1] ?? 0),
    "p99 ms": Math.round(durations[Math.floor(durations.length * 0.99)] ?? 0),
  };
  return `${profile.name}: ${Object.entries(facts)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ")}`;
}
