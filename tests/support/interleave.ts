import { expect } from "@jest/globals";
import type { ApiResponse } from "../../lib/http/response.ts";
import type { Database, Item } from "./database.ts";
import type { Sandbox } from "./sandbox.ts";
import type { Account, Service } from "./service.ts";
import type { Wire, WireRequest } from "./wire.ts";

/** One that acts in a race: its sandbox sends to the wire's endpoint with this path. */
interface Party {
  path: string;
  act: () => Promise<unknown>;
}

interface Waiting {
  request: WireRequest;
  goOn: () => void;
}

/** A login has sent three requests when its first try is decided: read, put, read. What follows is clearing up, or another one. */
const decisive = 3;

/** What became of a race. */
interface Race {
  login: ApiResponse;
  other: ApiResponse;
}

/**
 * Races a login to an account with another act, in every order in which their requests can reach the table. What is left
 * is checked each time, and then the account and its sessions are as they were before.
 */
export async function raceLogin(
  { wire, database, environment, createSandbox }: Service,
  {
    account,
    act,
    check,
  }: {
    account: Account;
    act: (as: Sandbox) => Promise<ApiResponse>;
    check: (race: Race) => Promise<void>;
  },
): Promise<void> {
  const at = (path: string) =>
    createSandbox({ DYNAMODB_ENDPOINT: `${environment.DYNAMODB_ENDPOINT}${path}` });
  const [logging, acting] = [at("/login"), at("/other")];
  const { email, password } = account;
  const restore = await rememberAccount(database, account);
  let race: Partial<Race>;
  const runs = await interleave(
    wire,
    async () => {
      await restore();
      race = {};
      const login = async () => {
        race.login = await logging.login({ body: { email, password } });
      };
      const other = async () => {
        race.other = await act(acting);
      };
      return [
        { path: "/login", act: login },
        { path: "/other", act: other },
      ];
    },
    async (order) => {
      await check(race as Race).catch((cause) => {
        throw new Error(`in the order ${order}: ${cause}`, { cause });
      });
    },
  );
  expect(runs).toBeGreaterThan(10);
}

/**
 * Runs a race of a login with another party in every order in which their requests can reach the table, one at a time.
 * `start` makes each run's parties, `check` looks at what is left. Returns the number of runs.
 */
async function interleave(
  wire: Wire,
  start: () => Promise<[Party, Party]>,
  check: (order: string) => Promise<void>,
): Promise<number> {
  let plan: number[] = [];
  for (let runs = 1; ; runs++) {
    const { choices, order } = await runInOrder(wire, await start(), plan);
    await check(order.join(", "));
    const last = choices.lastIndexOf(0);
    if (last === -1) return runs;
    plan = [...choices.slice(0, last), 1];
  }
}

async function runInOrder(wire: Wire, parties: [Party, Party], plan: number[]) {
  const waiting: [Waiting[], Waiting[]] = [[], []];
  const isDone = [false, false];
  const choices: number[] = [];
  const order: string[] = [];
  let sent = 0;
  let moved = Promise.withResolvers<void>();
  const move = () => {
    moved.resolve();
    moved = Promise.withResolvers();
  };

  wire.break(
    "",
    async (request) => {
      const index = parties.findIndex(({ path }) => request.path.startsWith(path));
      // These decide nothing, whenever they arrive: the count of attempts, the deletion of sessions already found, and
      // what the other party reads of single items.
      const isFree =
        /attempts$|^Batch/.test(request.name) || (index === 1 && request.name.startsWith("GetItem"));
      const party = isFree ? undefined : waiting[index];
      if (party) {
        const { promise, resolve } = Promise.withResolvers<void>();
        party.push({ request, goOn: resolve });
        move();
        await promise;
      }
      return request.deliver();
    },
    { times: Number.POSITIVE_INFINITY },
  );
  const acts = parties.map(async ({ act }, index) => {
    await act();
    isDone[index] = true;
    move();
  });

  while (!(isDone[0] && isDone[1])) {
    const isSettled = [0, 1].every((index) => isDone[index] || (waiting[index]?.length ?? 0) > 0);
    if (!isSettled) {
      await moved.promise;
      continue;
    }
    const isOpen = !isDone[0] && !isDone[1] && sent < decisive;
    if (isOpen) choices.push(plan[choices.length] ?? 0);
    const chosen = isOpen ? (choices.at(-1) ?? 0) : Number(isDone[0]);
    if (chosen === 0) sent++;
    const next = waiting[chosen]?.shift();
    order.push(`${parties[chosen]?.path} ${next?.request.name}`);
    next?.goOn();
  }
  await Promise.all(acts);
  wire.mend();
  return { choices, order };
}

/** Remembers an account and its sessions; the function puts them back, and takes away what came since. */
async function rememberAccount(database: Database, { email, userId }: Account) {
  const user = await database.find("users", { email });
  const sessions = await database.sessionsOf(userId);

  return async function restore(): Promise<void> {
    const keyOf = ({ userId, sessionId }: Item) => ({ userId, sessionId });
    for (const item of await database.sessionsOf(userId)) await database.delete("sessions", keyOf(item));
    for (const { id } of await database.scan("attempts")) await database.delete("attempts", { id });
    await database.putAll("sessions", sessions);
    await database.put("users", user ?? {});
  };
}
