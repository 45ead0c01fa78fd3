import { expect } from "@jest/globals";
import fc from "fast-check";
import type { ApiResponse } from "../../../../lib/http/response.ts";
import { createRefreshToken } from "../../../../lib/tokens/refresh-token.ts";
import { clock } from "../../../support/clock.ts";
import { loseAnswer, loseRequest, throttle } from "../../../support/faults.ts";
import { cookieOf, type Pair, pairOf } from "../../../support/pair.ts";
import type { Sandbox } from "../../../support/sandbox.ts";
import type { Account, Service } from "../../../support/service.ts";
import { keyHeader } from "../../../support/service.ts";
import { lifetimes, type PairName } from "./session.ts";
import type { Trouble, World } from "./world.ts";

/** A pair that somebody holds. */
interface Held extends PairName {
  pair: Pair;
}

/** A browser, or the thief of its cookie: what it has been given, the latest last. */
interface Client {
  index: number;
  key: string | undefined;
  held: Held[];
}

/** The real service, and who uses it. */
export interface Real {
  service: Service;
  sandboxes: Sandbox[];
  account: Account;
  clients: Client[];
  thief: Client | undefined;
  /** What each pair was, byte by byte, by the model's name for it. */
  bytes: Map<string, string>;
}

type Command = fc.AsyncCommand<World, Real>;
type Run = (world: World, real: Real) => Promise<void>;

const command = (name: string, run: Run, check: (real: Real) => boolean = () => true) => {
  let isPossible = true;
  // fast-check shows the model only before a command; what the clients hold is looked at when it runs.
  const wrapped: Command = {
    check: () => true,
    async run(world, real) {
      isPossible = check(real);
      if (isPossible) await run(world, real);
    },
    toString: () => (isPossible ? name : `(${name})`),
  };
  return wrapped;
};

const hasClient = ({ clients }: Real) => clients.length > 0;
const clientAt = ({ clients }: Real, at: number) => clients[at % clients.length] as Client;
const latest = ({ held }: Client) => held.at(-1) as Held;
const faults = { lost: loseRequest, throttled: throttle, unanswered: loseAnswer };

async function presentPair(
  world: World,
  real: Real,
  client: Client,
  { back = 0, key, isDropped = false }: { back?: number; key: string | undefined; isDropped?: boolean },
): Promise<void> {
  const { generation, pair } = client.held[Math.max(0, client.held.length - 1 - back)] as Held;
  const response = await sandboxOf(real).refresh({ cookies: pair.cookies, headers: keyHeader(key) });
  const expected = world.refresh(client.index, pair.claims.auth_time, generation, key);
  if (typeof expected === "number") return expectStatus("refresh", response, expected);
  expectStatus("refresh", response, 200);
  const got = pairOf(response);
  expect({ iat: got.claims.iat, sid: got.key }).toEqual({ iat: expected.iat, sid: pair.key });
  expectBytes(real, client.index, expected, got);
  if (!isDropped) client.held.push({ ...expected, pair: got });
}

/** One generation has one refresh token, and a pair has the same bytes whoever is given it. */
function expectBytes({ bytes }: Real, index: number, { generation, iat }: PairName, pair: Pair): void {
  const found = {
    [`${index}#${generation}`]: pair.refreshToken,
    [`${index}#${generation}@${iat}`]: pair.cookies.join(),
  };
  for (const [name, text] of Object.entries(found)) {
    expect(bytes.get(name) ?? text).toBe(text);
    bytes.set(name, text);
  }
}

/** How often each request was answered how. */
export const seen = new Map<string, number>();

function expectStatus(name: string, { statusCode, body, cookies = [] }: ApiResponse, expected: number): void {
  const outcome = `${name} ${statusCode}`;
  seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
  expect([statusCode, body]).toEqual([expected, body]);
  if (statusCode >= 400) expect(cookies).toEqual([]);
}

let calls = 0;
const sandboxOf = ({ sandboxes }: Real) => sandboxes[calls++ % sandboxes.length] as Sandbox;

const register = command("Register", async (_, real) => {
  const { email, password } = real.account;
  expectStatus("register", await sandboxOf(real).register({ body: { email, password } }), 409);
});

/** Opens a session; the first command of each run. */
export const logIn = (key: string | undefined) =>
  command(`Login ${key ?? "unkeyed"}`, async (world, real) => {
    const { email, password } = real.account;
    const response = await sandboxOf(real).login({ body: { email, password }, headers: keyHeader(key) });
    const { status, index } = world.logIn(key !== undefined);
    expectStatus("login", response, status);
    if (index === undefined) return;
    const pair = pairOf(response);
    const name = { generation: 0, iat: pair.claims.iat };
    expectBytes(real, index, name, pair);
    real.clients.push({ index, key, held: [{ ...name, pair }] });
  });

const refresh = (at: number, back: number, isDropped: boolean, withKey: boolean) =>
  command(
    `Refresh${isDropped ? "Dropped" : ""} ${at} back ${back}${withKey ? "" : " without key"}`,
    (world, real) => {
      const client = clientAt(real, at);
      return presentPair(world, real, client, { back, isDropped, key: withKey ? client.key : undefined });
    },
    hasClient,
  );

const refreshMixed = (at: number, other: number | undefined) =>
  command(
    `Refresh ${at} mixed with ${other ?? "garbage"}`,
    async (_, real) => {
      const { token, refreshToken } = latest(clientAt(real, at)).pair;
      const strange =
        other === undefined ? createRefreshToken() : latest(clientAt(real, other)).pair.refreshToken;
      if (strange === refreshToken) return;
      const sandbox = sandboxOf(real);
      await real.service.expectRequests([], async () => {
        expectStatus(
          "mixed",
          await sandbox.refresh({ cookies: [cookieOf({ token, refreshToken: strange })] }),
          400,
        );
        const broken = `${token.slice(0, -1)}${token.endsWith("A") ? "Q" : "A"}`;
        expectStatus(
          "mixed",
          await sandbox.refresh({ cookies: [cookieOf({ token: broken, refreshToken })] }),
          400,
        );
      });
    },
    hasClient,
  );

const logOut = (at: number) =>
  command(
    `Logout ${at}`,
    async (world, real) => {
      const client = clientAt(real, at);
      const response = await sandboxOf(real).logout({ cookies: latest(client).pair.cookies });
      expectStatus("logout", response, world.logOut(client.index));
    },
    hasClient,
  );

const logOutEverywhere = (at: number) =>
  command(
    `LogoutAll ${at}`,
    async (world, real) => {
      const { cookies, claims } = latest(clientAt(real, at)).pair;
      expectStatus(
        "everywhere",
        await sandboxOf(real).revokeAllSessions({ cookies }),
        world.logOutEverywhere(claims.exp),
      );
    },
    hasClient,
  );

const changePassword = (at: number) =>
  command(
    `ChangePassword ${at}`,
    async (world, real) => {
      const client = clientAt(real, at);
      const { cookies, claims } = latest(client).pair;
      const newPassword = `${real.account.password.split("+")[0]}+${calls}`;
      const body = { currentPassword: real.account.password, newPassword };
      const response = await sandboxOf(real).changePassword({ cookies, body });
      expectStatus("password", response, world.changePassword(client.index, claims.exp));
      if (response.statusCode === 200) real.account.password = newPassword;
    },
    hasClient,
  );

const look = (at: number) =>
  command(
    `Protected ${at}`,
    async (world, real) => {
      const client = clientAt(real, at);
      const { cookies, claims } = latest(client).pair;
      const sandbox = sandboxOf(real);
      expectStatus("movies", await sandbox.movies({ cookies }), world.isLiveToken(claims.exp) ? 200 : 401);
      // Who may not enter learns nothing of the body; who may, that it is empty.
      const response = await sandbox.changePassword({ cookies, body: {} });
      expectStatus("live", response, world.look(client.index, claims.exp));
    },
    hasClient,
  );

const advance = (seconds: number) =>
  command(`Advance ${seconds} s`, async (world) => {
    clock.advance(seconds);
    world.advance(seconds);
  });

const ttlSweep = command("TtlSweep", async (world, { service, account }) => {
  for (const { userId, sessionId, expiresAt } of await service.database.sessionsOf(account.userId))
    if (expiresAt <= clock.now) await service.database.delete("sessions", { userId, sessionId });
  world.dropExpired();
});

const fault = (kind: Trouble | undefined) =>
  command(`Fault ${kind ?? "off"}`, async (world, { service: { wire } }) => {
    wire.mend();
    world.trouble = kind;
    if (!kind) return;
    const befall = (request: Parameters<typeof loseRequest>[0]) =>
      request.name.endsWith("sessions") ? faults[kind](request) : request.deliver();
    wire.break("", befall, { times: Number.POSITIVE_INFINITY });
  });

const steal = (at: number) =>
  command(
    `Steal from ${at}`,
    async (_, real) => {
      const { index, held } = clientAt(real, at);
      real.thief = { index, key: "a-key-that-the-thief-made", held: held.slice(-1) };
    },
    hasClient,
  );

const useStolen = (withKey: boolean) =>
  command(
    `UseStolen${withKey ? " with a key" : ""}`,
    async (world, real) => {
      const thief = real.thief as Client;
      await presentPair(world, real, thief, { key: withKey ? thief.key : undefined });
    },
    ({ thief }) => thief !== undefined,
  );

const { window, minInterval, access, sliding, absolute } = lifetimes;
const at = fc.nat(3);
const back = fc.constantFrom(0, 0, 0, 0, 0, 0, 1, 1, 1, 2);
const often = { isDropped: fc.boolean(), withKey: fc.constantFrom(true, true, true, false) };

/** What browsers send as Idempotency-Key. */
export const keys = fc.constantFrom("the-key-of-the-browser", undefined);

/** Everything that can happen; what is more common comes more often. */
export const commands = [
  keys.map(logIn),
  ...Array.from({ length: 4 }, () =>
    fc.tuple(at, back, often.isDropped, often.withKey).map((parts) => refresh(...parts)),
  ),
  ...Array.from({ length: 3 }, () =>
    fc
      .constantFrom(1, 5, window - 1, window, minInterval / 2, minInterval / 2 + 1, minInterval, access)
      .map(advance),
  ),
  fc.oneof(fc.constantFrom(sliding - 1, sliding, absolute).map(advance), fc.constant(ttlSweep), at.map(look)),
  fc.oneof(
    fc.tuple(at, fc.option(at, { nil: undefined })).map((parts) => refreshMixed(...parts)),
    at.map(look),
  ),
  fc.oneof(
    at.map(logOut),
    at.map(changePassword),
    at.map(changePassword),
    at.map(look),
    fc.constant(register),
  ),
  fc.oneof(at.map(logOutEverywhere), at.map(look)),
  fc
    .constantFrom("lost", "throttled", "unanswered", undefined, undefined, undefined, undefined)
    .map((kind) => fault(kind as Trouble)),
  at.map(steal),
  fc.boolean().map(useStolen),
] as fc.Arbitrary<Command>[];
