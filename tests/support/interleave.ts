import { expect } from "@jest/globals";
import type { ApiResponse } from "../../lib/http/response.ts";
import type { Database, Item } from "./database.ts";
import type { Sandbox } from "./sandbox.ts";
import type { Account, Service } from "./service.ts";
import type { Wire } from "./wire.ts";

/** The two sides of a race. The wire tells them apart by their endpoints. */
const sides = ["/login", "/other"] as const;

/** A login has sent four requests when its first try is decided: two reads, put, read. What follows is clearing up, or another one. */
const decisive = 4;

interface Options {
  account: Account;
  act: (as: Sandbox) => Promise<ApiResponse>;
  check: (race: { login: ApiResponse; other: ApiResponse }) => Promise<void>;
}

/**
 * Races a login to an account with another act, in every order in which their requests can reach the table. What is left
 * is checked each time, and then the account and its sessions are as they were before.
 */
export async function raceLogin(
  { wire, database, environment, createSandbox }: Service,
  { account, act, check }: Options,
): Promise<void> {
  const at = (side: string) =>
    createSandbox({ DYNAMODB_ENDPOINT: `${environment.DYNAMODB_ENDPOINT}${side}` });
  const [logging, acting] = [at(sides[0]), at(sides[1])];
  const { email, password } = account;
  const restore = await rememberAccount(database, account);
  let runs = 0;
  let plan: number[] | undefined = [];
  while (plan) {
    await restore();
    const acts = [() => logging.login({ body: { email, password } }), () => act(acting)] as const;
    const { answers, choices, order } = await runInOrder(wire, acts, plan);
    const [login, other] = answers as [ApiResponse, ApiResponse];
    await check({ login, other }).catch((cause) => {
      throw new Error(`in the order ${order.join(", ")}: ${cause}`, { cause });
    });
    runs++;
    // The next order differs in the last choice that can still differ.
    const last = choices.lastIndexOf(0);
    plan = last < 0 ? undefined : [...choices.slice(0, last), 1];
  }
  expect(runs).toBeGreaterThan(10);
}

/** Lets the requests of two sides reach the table one at a time: where both wait, the plan chooses, then the first. */
async function runInOrder(wire: Wire, acts: readonly (() => Promise<ApiResponse>)[], plan: number[]) {
  const waiting: { name: string; goOn: () => void }[][] = [[], []];
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
      const { name, path } = request;
      const side = sides.findIndex((prefix) => path.startsWith(prefix));
      // These decide nothing, whenever they arrive: the count of attempts, the deletion of sessions already found, and
      // what the other side reads of single items.
      const isFree = /attempts$|^Batch/.test(name) || (side === 1 && name.startsWith("GetItem"));
      if (!isFree && waiting[side]) {
        const { promise, resolve } = Promise.withResolvers<void>();
        waiting[side].push({ name, goOn: resolve });
        move();
        await promise;
      }
      return request.deliver();
    },
    { times: Number.POSITIVE_INFINITY },
  );
  const answers = acts.map(async (act, side) => {
    const answer = await act();
    isDone[side] = true;
    move();
    return answer;
  });

  while (isDone.includes(false)) {
    if (waiting.some(({ length }, side) => !isDone[side] && length === 0)) {
      await moved.promise;
      continue;
    }
    const isOpen = !isDone.includes(true) && sent < decisive;
    const chosen = isOpen ? (plan[choices.length] ?? 0) : Number(isDone[0]);
    if (isOpen) choices.push(chosen);
    if (chosen === 0) sent++;
    const next = waiting[chosen]?.shift();
    order.push(`${sides[chosen]} ${next?.name}`);
    next?.goOn();
  }
  wire.mend();
  return { answers: await Promise.all(answers), choices, order };
}

/** Remembers an account and its sessions; the function puts them back, and takes away what came since. */
async function rememberAccount(database: Database, { email, userId }: Account) {
  const user = await database.find("users", { userId });
  const entry = await database.find("identities", { identity: `email:${email}` });
  const sessions = await database.sessionsOf(userId);

  return async function restore(): Promise<void> {
    const keyOf = ({ userId, sessionId }: Item) => ({ userId, sessionId });
    for (const item of await database.sessionsOf(userId)) await database.delete("sessions", keyOf(item));
    for (const { id } of await database.scan("attempts")) await database.delete("attempts", { id });
    await database.putAll("sessions", sessions);
    await database.put("users", user ?? {});
    await database.put("identities", entry ?? {});
  };
}
