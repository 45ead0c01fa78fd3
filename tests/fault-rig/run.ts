import { randomUUID } from "node:crypto";
import { marshall } from "@aws-sdk/util-dynamodb";
import { createRefreshToken } from "../../lib/tokens/refresh-token.ts";
import { createAuthenticators } from "../support/authenticator.ts";
import { clock } from "../support/clock.ts";
import type { Database, Item } from "../support/database.ts";
import { log } from "../support/log.ts";
import type { Mailbox } from "../support/mailbox.ts";
import { createPasskey } from "../support/passkey.ts";
import type { Account, Service } from "../support/service.ts";
import { type Browser, createBrowser, createThief, forge, type RigUser, type Thief } from "./clients.ts";
import { createRandom } from "./random.ts";
import { numberOf } from "./recorder.ts";
import { type Call, createRig, type Rig, type RunChoice } from "./rig.ts";

/** What is known when a run is over; invariants.ts judges it. */
export interface Run
  extends Pick<Rig, "calls" | "sessions" | "spreadSeconds" | "profile" | "exhausted" | "recorder"> {
  /** From here on all faults were mended, and each browser with a pair refreshed. */
  mendedAt: number;
  /** The audit trail of the run's users, and the notices of their changes. */
  told: { rows: Item[]; notices: Item[] };
  /** Whose account has a second factor, by the address when the run began. */
  owners: ReadonlySet<string>;
  /** What every account with a password began with. */
  firstPassword: string;
  /** What the tables hold at the end. */
  tables: Record<"users" | "identities" | "mails", Item[]>;
  /** The codes that came by mail: `address code`. */
  mailed: ReadonlySet<string>;
  lines: ReturnType<typeof log.entries>;
}

/** How often a browser that is logged in does what; one that is not logs in. */
const usualMix = {
  ...{ refresh: 71, live: 8, movies: 3, login: 1, logout: 4, endAll: 2 },
  ...{ changePassword: 1, resetPassword: 1, forgotPassword: 2, changeEmail: 4, guess: 0.3 },
  ...{ steal: 3, forge: 3 },
};

interface RunOptions extends RunChoice {
  /** How many requests the clients make at least; those that repeat one after a 503 or silence do not count. */
  operations: number;
  mix?: Partial<typeof usualMix>;
}

export const windowSeconds = 10;

const users = 12;
const browsersPerUser = 2;
/** Fifty acts of browsers, thieves and forgers, six at once, between two jumps of the clock. */
const actsPerRound = 50;
const parallel = 6;
/** The clock goes on by 5 s at most while requests are under way: all clocks together by less than the window. */
const roundSeconds = 5;

export async function run(service: Service, mailbox: Mailbox, options: RunOptions): Promise<Run> {
  const { profile, seed, operations, mix } = options;
  log.clear();
  const account = await service.register();
  const rig = createRig(service, mailbox, options);
  const { random } = rig;
  const browsers = await createBrowsers(rig, service, account);
  let thieves: Thief[] = [];

  async function act(index: number): Promise<void> {
    const own = createRandom(`${seed} act ${index}`);
    const browser = own.pick(browsers);
    const what = own.weighted({ ...usualMix, ...mix });
    if (!browser.pair) return browser.login();
    if (what === "forge") return forge(rig, browser, own.pick(browsers).pair, own);
    if (what !== "steal") return browser[what]();
    // Half of the thefts are acts of those who have stolen before.
    const thief = thieves.length > 3 || own.isTrue(0.5) ? thieves.shift() : undefined;
    if (!thief) return void thieves.push(createThief(rig, browser, own));
    await thief.act();
    if (!thief.isDone) thieves.push(thief);
  }

  async function runRound(round: number): Promise<void> {
    const last = round * actsPerRound;
    let next = last - actsPerRound;
    let left = profile.isSkewed ? roundSeconds - 2 : roundSeconds;
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

  for (let round = 1; rig.operations < operations; round++) {
    const isOutage = profile.hasOutages === true && round % 5 === 0;
    rig.setAway(isOutage);
    await runRound(round);
    await rig.tell();
    rig.setAway(false);
    await Promise.all(browsers.map((browser) => browser.readMails()));
    const [least, more] = random.pick(Object.entries(jumps));
    clock.advance(isOutage ? 60 : Number(least) + random.below(more));
    if (isOutage) await Promise.all(browsers.map((browser) => browser.pair && browser.renew()));
    await rig.settle();
    if (profile.deletesExpired) await deleteExpired(rig, service.database);
    thieves = thieves.filter(({ isDone }) => !isDone);
  }

  rig.mend();
  clock.advance(60);
  const mendedAt = rig.tick();
  // Those who stole come first: their victims notice.
  for (const thief of thieves) await thief.act();
  for (const browser of browsers) if (browser.pair) await browser.renew();
  while (!(await rig.tell())) clock.advance(1);
  await rig.settle();
  service.wire.mend();
  const lines = log.entries();
  log.settle();
  const { database } = service;
  const mailed = new Set(mailbox.sent.map(({ to, code }) => `${to} ${code}`));
  const tables = {
    ...{ users: await database.scan("users"), identities: await database.scan("identities") },
    mails: await database.scan("mails"),
  };
  const told = await findTold(rig, database);
  const owners = new Set(browsers.flatMap(({ user }) => (user.app ? [user.email] : [])));
  const firstPassword = account.password;
  return { ...rig, owners, firstPassword, exhausted: rig.exhausted, mendedAt, lines, told, tables, mailed };
}

/** Seconds from one round to the next, and up to how many more: most pairs are renewed while their JWT lives, some after it, some late. */
const jumps = { 0: 10, 10: 20, 30: 60, 100: 700, 890: 30, 1000: 2_000 };

/** All users have the password of an account that was registered before the faults began: hashing one for each takes long. */
async function createBrowsers(rig: Rig, service: Service, account: Account): Promise<Browser[]> {
  const { database } = service;
  const addFactor = createAuthenticators(service);
  const { email, password, userId } = account;
  const rpId = String(service.environment.PASSKEY_RP_ID);
  const origin = `https://${rpId}`;
  const registered = await database.find("users", { userId });
  const browsers: Browser[] = [];
  for (let number = 0; number < users; number++) {
    const own = { email: `${number}-${email}`, userId: randomUUID(), emailVerifiedAt: clock.now };
    const item = { ...registered, ...own };
    await database.put("users", item);
    const { createdAt } = item as Item;
    await database.put("identities", { identity: `email:${item.email}`, userId: item.userId, createdAt });
    // Long enough that an undone change of address leaves it.
    const app = number % 3 === 0 ? await addFactor(own, clock.now - 1_000_000) : undefined;
    const passkey = number % 3 === 1 ? createPasskey({ userId: own.userId, rpId, origin }) : undefined;
    const isWithoutPassword = passkey !== undefined && number % 2 === 0;
    if (passkey)
      await database.change(
        "users",
        { userId: own.userId },
        {
          ...passkey.stored(clock.now - 1_000_000),
          ...(isWithoutPassword && { passwordHash: undefined }),
        },
      );
    const stored = await database.find("users", { userId: own.userId });
    rig.recorder.noteWrite("users", marshall(stored), rig.tick());
    rig.recorder.userIds.set(own.email, own.userId);
    const user: RigUser = {
      ...{ ...own, ...(app && { app }), ...(passkey && { passkey }) },
      ...{ passwords: isWithoutPassword ? [] : [password], addresses: [own.email] },
    };
    for (let i = 0; i < browsersPerUser; i++) {
      const random = createRandom(`${rig.seed} browser ${number} ${i}`);
      const key = random.isTrue(0.6) ? `browser-${randomUUID()}` : undefined;
      const sessionKey = key !== undefined && random.isTrue(0.5) ? createRefreshToken() : undefined;
      const keys = { ...(key !== undefined && { key }), ...(sessionKey !== undefined && { sessionKey }) };
      browsers.push(createBrowser(rig, user, { random, ...keys }));
    }
  }
  return browsers;
}

async function findTold({ recorder }: Rig, database: Database): Promise<Run["told"]> {
  const changeIds = new Set([...recorder.changes.keys()].map((name) => name.split("#")[1]));
  return {
    rows: (await database.scan("audit")).filter(({ userId }) => recorder.users.has(userId)),
    notices: (await database.scan("mails")).filter(({ changeId }) => changeIds.has(changeId)),
  };
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

export function summaryOf({ calls, sessions, recorder, lines, profile, exhausted }: Run): string {
  const count = (filter: (call: Call) => boolean) => calls.filter(filter).length;
  const refused = count(({ status }) => status === 503);
  const stolen = [...sessions.values()].filter(({ stolenAt }) => stolenAt !== undefined).length;
  const noticed = lines.filter(({ event }) => event === "authn_token_reuse").length;
  const ours = `${calls.length} calls in ${recorder.sessions.size} sessions, ${refused} times 503, ${exhausted} times no attempt left`;
  const done = (route: string, status: number) =>
    count((call) => call.route === route && call.status === status);
  const mailed = done("forgotPassword", 202) + done("askEmailChange", 202);
  const changed = `${mailed} codes asked for, ${done("resetPassword", 200)} reset, ${done("confirmEmailChange", 200)} moved, ${done("undoEmailChange", 200)} undone`;
  return `${profile.name}: ${ours}, ${changed}, ${count(({ isHeard }) => !isHeard)} unheard, ${stolen} stolen, ${noticed} noticed, ${count(({ by }) => by === "forger")} forged`;
}
