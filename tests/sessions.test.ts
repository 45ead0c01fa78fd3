import { randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import type { ApiResponse } from "../lib/http/response.ts";
import { bodyOf, expectJson, expectNoContent, expectProblem, refusals } from "./support/answer.ts";
import { clock } from "./support/clock.ts";
import type { Item } from "./support/database.ts";
import { fail, loseAnswer, loseRequest, throttle } from "./support/faults.ts";
import { interleave, rememberAccount } from "./support/interleave.ts";
import { type Pair, pairOf } from "./support/pair.ts";
import { type Account, type Service, startServices } from "./support/service.ts";

const services = await startServices();
const [service, embedded] = services;
const { sandbox, database, wire, expectRequests, expectRefusal } = service;
const raise = "UpdateItem users";
const query = "Query sessions";
const batch = "BatchWriteItem sessions";
const note = "UpdateItem users";
const exceptCurrent = { except: "current" };

/** An account with so many sessions, each a second younger than the one before. */
async function open(count: number, as: Service = service): Promise<{ account: Account; pairs: Pair[] }> {
  const account = await as.register();
  const pairs: Pair[] = [];
  for (let i = 0; i < count; i++) {
    clock.advance(1);
    pairs.push(await as.logIn({ account }));
  }
  return { account, pairs };
}

/** Stores so many more sessions of a user, each a second older than the one before. */
async function store(userId: string, count: number, attributes: Item = {}): Promise<Item[]> {
  const items = Array.from({ length: count }, (_, i) => ({
    userId,
    sessionId: randomUUID(),
    email: "somebody@example.com",
    tokenHash: "A".repeat(43),
    keyed: false,
    createdAt: clock.now - i,
    expiresAt: clock.now + 86_400,
    ...attributes,
  }));
  await database.putAll("sessions", items);
  return items;
}

async function expectOver(pairs: Pair[], as: Service = service) {
  for (const pair of pairs) {
    expectProblem(await as.refresh(pair), refusals.tokenExpired);
    expect(await as.findSession(pair)).toBeUndefined();
  }
}

describe("GET /auth/sessions", () => {
  test("lists the caller's live sessions, newest first, and nothing that could be used, with 1 request", async () => {
    const { pairs } = await open(3);
    const [first, second, third] = pairs as [Pair, Pair, Pair];
    clock.advance(60);
    await service.rotate(second);
    const response = await expectRequests([query], () => sandbox.listSessions({ cookies: first.cookies }));
    const summary = ({ key, claims }: Pair) => ({
      sessionId: key.sessionId,
      createdAt: claims.auth_time,
      renewedAt: null as number | null,
      expiresAt: claims.auth_time + 86_400,
      userAgent: "tests",
      ip: "192.0.2.7",
      current: false,
    });
    expectJson(response, 200, {
      sessions: [
        summary(third),
        { ...summary(second), renewedAt: clock.now, expiresAt: clock.now + 86_400 },
        { ...summary(first), current: true },
      ],
      nextCursor: null,
    });
    expect(response.cookies).toBeUndefined();
    const { ConsistentRead, ProjectionExpression } = wire.requests.at(-1)?.parameters ?? {};
    expect([ConsistentRead, /hash|salt/i.test(ProjectionExpression)]).toEqual([true, false]);
  });

  test("T06 leaves out sessions that are over though DynamoDB has not deleted them", async () => {
    const { account, pairs } = await open(1);
    await store(account.userId, 2, { expiresAt: clock.now });
    const [live] = await store(account.userId, 1, { expiresAt: clock.now + 1, userAgent: undefined });
    const { sessions } = bodyOf(await sandbox.listSessions({ cookies: pairs[0]?.cookies ?? [] }));
    expect(sessions).toHaveLength(2);
    expect(sessions).toContainEqual(
      expect.objectContaining({ sessionId: live?.sessionId, userAgent: null, ip: null }),
    );
  });

  test("comes in pages of 100, each once, even when the page's last one is ended in between", async () => {
    const { account, pairs } = await open(1);
    const cookies = pairs[0]?.cookies ?? [];
    const stored = await store(account.userId, 249);
    // Some are equally old.
    await store(account.userId, 20, { createdAt: clock.now - 100 });
    const seen: string[] = [];
    const pages: number[] = [];
    let query: Record<string, string> | undefined;
    do {
      const { sessions, nextCursor } = bodyOf(
        await sandbox.listSessions({ cookies, ...(query && { query }) }),
      );
      seen.push(...sessions.map(({ sessionId }: Item) => sessionId));
      pages.push(sessions.length);
      await database.delete("sessions", { userId: account.userId, sessionId: seen.at(-1) ?? "" });
      query = nextCursor === null ? undefined : { cursor: nextCursor };
    } while (query);
    expect(pages).toEqual([100, 100, 70]);
    expect(new Set(seen).size).toBe(270);
    expect(seen).toEqual(expect.arrayContaining(stored.map(({ sessionId }) => sessionId)));
  });

  test.each(["", "x", "1.", ".x", "1.x y", "-1.x", "9".repeat(99), "__proto__", "%00"])(
    "refuses the cursor %j",
    async (cursor) => {
      const { cookies } = await service.logIn();
      await expectRefusal(
        () => sandbox.listSessions({ cookies, query: { cursor } }),
        {
          status: 400,
          code: "invalid_cursor",
          detail: "Take the cursor from nextCursor of the page before.",
        },
        [query],
      );
    },
  );

  test("a list of several megabytes is read to its end", async () => {
    const { account, pairs } = await open(1);
    await store(account.userId, 30, { userAgent: "x".repeat(60_000) });
    const response = await expectRequests([query, query], () =>
      sandbox.listSessions({ cookies: pairs[0]?.cookies ?? [] }),
    );
    expect(bodyOf(response).sessions).toHaveLength(31);
  });
});

describe("DELETE /auth/sessions/{sessionId}", () => {
  const end = (caller: Pair, sessionId: string) =>
    sandbox.revokeSession({ cookies: caller.cookies, pathParameters: { sessionId } });

  test("ends that session and no other, with 1 request, even with the JWT of a session that is over", async () => {
    const { pairs } = await open(3);
    const [a, b, c] = pairs as [Pair, Pair, Pair];
    expectNoContent(await expectRequests(["DeleteItem sessions"], () => end(a, b.key.sessionId)));
    await expectOver([b]);
    expectNoContent(await end(a, a.key.sessionId));
    await expectOver([a]);
    await service.rotate(c);
  });

  test("is a 404 for somebody else's session, none, an ended one and one that is over: all the same bytes", async () => {
    const [caller, stranger] = [await service.logIn(), (await open(1)).pairs[0] as Pair];
    const [over] = await store(caller.key.userId, 1, { expiresAt: clock.now });
    const ended = (await service.logIn()).key.sessionId;
    expectNoContent(await end(caller, ended));
    for (const sessionId of [stranger.key.sessionId, randomUUID(), ended, over?.sessionId]) {
      await expectRefusal(() => end(caller, sessionId), refusals.noSuchSession, ["DeleteItem sessions"]);
    }
    await service.rotate(stranger);
  });

  test.each(["", " ", "a b", "../x", "x".repeat(65), "%00", "é", "*"])(
    "is a 404 for %j without a request",
    async (sessionId) => {
      const caller = await service.logIn();
      await expectRefusal(() => end(caller, sessionId), refusals.noSuchSession);
    },
  );

  test("whose answer was lost is a 204 when the SDK tries again", async () => {
    const { pairs } = await open(2);
    const [a, b] = pairs as [Pair, Pair];
    wire.break("DeleteItem sessions", loseAnswer);
    expectNoContent(
      await expectRequests(["DeleteItem sessions", "DeleteItem sessions"], () => end(a, b.key.sessionId)),
    );
    await expectOver([b]);
  });

  test("that does not reach the table is a 503, and the session lives", async () => {
    const { pairs } = await open(2);
    const [a, b] = pairs as [Pair, Pair];
    wire.break("DeleteItem sessions", loseRequest, { times: 3 });
    expectProblem(await end(a, b.key.sessionId), refusals.unavailable);
    await service.rotate(b);
  });

  test("beats a refresh whose answer is under way", async () => {
    const { pairs } = await open(2);
    const [a, b] = pairs as [Pair, Pair];
    let answer: unknown;
    wire.break("UpdateItem sessions", async (request) => {
      const applied = await request.deliver();
      answer = await end(a, b.key.sessionId);
      return applied;
    });
    const successor = await service.rotate(b);
    expectNoContent(answer as never);
    await expectOver([b, successor]);
  });
});

describe.each(services)("DELETE /auth/sessions on $engine", (service) => {
  const { sandbox, expectRequests } = service;

  test("R23 ends every session of the user and nobody else's", async () => {
    const { account, pairs } = await open(3, service);
    const other = await service.logIn();
    expectNoContent(
      await expectRequests([raise, query, batch, note], () =>
        sandbox.revokeAllSessions({ cookies: pairs[1]?.cookies ?? [] }),
      ),
    );
    await expectOver(pairs, service);
    expect(await service.database.find("users", { email: account.email })).toMatchObject({
      sessionEpoch: 1,
      sweptEpoch: 1,
    });
    await service.rotate(other);
    await service.rotate(await service.logIn({ account }));
  });

  test("keeps this one with ?except=current", async () => {
    const { account, pairs } = await open(3, service);
    const [a, b, c] = pairs as [Pair, Pair, Pair];
    const keep = () => sandbox.revokeAllSessions({ cookies: b.cookies, query: exceptCurrent });
    expectNoContent(await expectRequests([raise, query, batch, note], keep));
    await expectOver([a, c], service);
    // Nobody else is there to be ended.
    expectNoContent(await expectRequests([raise, query, note], keep));
    await service.rotate(b);
    // Kept once is not kept for ever.
    const d = await service.logIn({ account });
    expectNoContent(await sandbox.revokeAllSessions({ cookies: d.cookies, query: exceptCurrent }));
    await expectOver([b], service);
    await service.rotate(d);
  });

  test("S14 keeps this one when the answer to the raise was lost and the SDK tried again", async () => {
    const { pairs } = await open(2, service);
    const [a, b] = pairs as [Pair, Pair];
    service.wire.break(raise, loseAnswer);
    expectNoContent(await sandbox.revokeAllSessions({ cookies: b.cookies, query: exceptCurrent }));
    await expectOver([a], service);
    await service.rotate(b);
  });

  test("that broke off after the raise is finished by the next login", async () => {
    const { account, pairs } = await open(2, service);
    service.wire.break(query, loseRequest, { times: 3 });
    expectProblem(
      await sandbox.revokeAllSessions({ cookies: pairs[0]?.cookies ?? [] }),
      refusals.unavailable,
    );
    const next = await service.logIn({ account });
    await expectOver(pairs, service);
    await service.rotate(next);
  });

  test("keeping this one ends it all the same if an earlier end of all was to end it, and broke off", async () => {
    const { account, pairs } = await open(3, service);
    const [a, b, c] = pairs as [Pair, Pair, Pair];
    service.wire.break(query, loseRequest, { times: 3 });
    expectProblem(
      await sandbox.revokeAllSessions({ cookies: a.cookies, query: exceptCurrent }),
      refusals.unavailable,
    );
    service.wire.mend();
    expectProblem(
      await sandbox.revokeAllSessions({ cookies: b.cookies, query: exceptCurrent }),
      refusals.invalidToken,
    );
    await expectOver([b, c], service);
    // The one that the earlier end kept can go on with it.
    expectNoContent(await sandbox.revokeAllSessions({ cookies: a.cookies, query: exceptCurrent }));
    await service.rotate(a);
    await service.rotate(await service.logIn({ account }));
  });
});

describe("DELETE /auth/sessions", () => {
  const endAll = ({ cookies }: Pair) => sandbox.revokeAllSessions({ cookies });

  test("ends 2,000 sessions in batches of 25, in one call", async () => {
    const { account, pairs } = await open(1);
    await store(account.userId, 1_999);
    wire.forget();
    expectNoContent(await endAll(pairs[0] as Pair));
    expect(wire.names.filter((name) => name === batch)).toHaveLength(80);
    expect(wire.names.filter((name) => name !== batch && name !== query)).toEqual([raise, note]);
    expect(await database.sessionsOf(account.userId)).toEqual([]);
  });

  /** DynamoDB deletes the first of a batch and leaves the others. */
  const leaveMost = async (request: Parameters<typeof fail>[0]) => {
    const [[table, requests]] = Object.entries(request.parameters.RequestItems) as [[string, Item[]]];
    const [{ DeleteRequest } = {}, ...left] = requests;
    const { userId, sessionId } = DeleteRequest.Key;
    await database.delete("sessions", { userId: userId.S, sessionId: sessionId.S });
    return { status: 200, body: JSON.stringify({ UnprocessedItems: { [table]: left } }) };
  };

  test("sends again what DynamoDB left unprocessed", async () => {
    const { pairs } = await open(4);
    wire.break(batch, leaveMost, { times: 2 });
    expectNoContent(
      await expectRequests([raise, query, batch, batch, batch, note], () => endAll(pairs[0] as Pair)),
    );
    await expectOver(pairs);
  });

  test("that cannot be finished is a 503, and a repeat ends the rest", async () => {
    const { account, pairs } = await open(8);
    wire.break(batch, leaveMost, { times: 5 });
    expectProblem(await endAll(pairs[0] as Pair), refusals.unavailable);
    expect(await database.sessionsOf(account.userId)).toHaveLength(3);
    expectNoContent(await endAll(pairs[0] as Pair));
    await expectOver(pairs);
  });

  test.each([
    ["the raise", raise, throttle, 8],
    ["the query", query, fail, 8],
    ["the batches", batch, throttle, 8],
  ])("is a 503 when %s fails, and a repeat ends all", async (_, name, fault, left) => {
    const { account, pairs } = await open(8);
    wire.break(name, fault, { times: 3 });
    expectProblem(await endAll(pairs[0] as Pair), refusals.unavailable);
    expect(await database.sessionsOf(account.userId)).toHaveLength(left);
    expectNoContent(await endAll(pairs[0] as Pair));
    await expectOver(pairs);
  });

  test("of an account that is gone ends its sessions and touches nothing of the address's new owner", async () => {
    const { account, pairs } = await open(2);
    await database.delete("users", { email: account.email });
    const { email, password } = account;
    await sandbox.register({ body: { email, password } });
    const owner = pairOf(await sandbox.login({ body: { email, password } }));
    const before = await database.find("users", { email });
    expectNoContent(await endAll(pairs[0] as Pair));
    await expectOver(pairs);
    expect(await database.find("users", { email })).toEqual(before);
    await service.rotate(owner);
  });

  test.each(["", "all", "Current", "current,current", "__proto__"])("refuses ?except=%s", async (except) => {
    const { cookies } = await service.logIn();
    await expectRefusal(() => sandbox.revokeAllSessions({ cookies, query: { except } }), {
      status: 400,
      code: "invalid_query",
      detail: "except can only be current.",
    });
  });
});

describe("a login that races the end of all sessions", () => {
  const { wire, database, environment } = embedded;
  const at = (path: string) =>
    embedded.createSandbox({ DYNAMODB_ENDPOINT: `${environment.DYNAMODB_ENDPOINT}${path}` });
  const [logging, ending] = [at("/login"), at("/end")];

  test("never survives it, in whatever order their requests arrive", async () => {
    const { account, pairs } = await open(2, embedded);
    const [{ key: oldKey }, { key: ownKey, cookies }] = pairs as [Pair, Pair];
    const restore = await rememberAccount(database, account);
    let answers: { login?: ApiResponse; end?: ApiResponse };
    const runs = await interleave(
      wire,
      async () => {
        await restore();
        answers = {};
        const { email, password } = account;
        return [
          {
            path: "/login",
            act: async () => {
              answers.login = await logging.login({ body: { email, password } });
            },
          },
          {
            path: "/end",
            act: async () => {
              answers.end = await ending.revokeAllSessions({ cookies, query: exceptCurrent });
            },
          },
        ];
      },
      async (order) => {
        const { login, end } = answers;
        const user = await database.find("users", { email: account.email });
        const left = await database.sessionsOf(account.userId);
        const stale = left.filter(
          ({ sessionId, sessionEpoch }) =>
            sessionEpoch < user?.sessionEpoch && sessionId !== ownKey.sessionId,
        );
        expect([order, end?.statusCode, stale]).toEqual([order, 204, []]);
        expect([order, user?.sweptEpoch]).toEqual([order, user?.sessionEpoch]);
        expect([order, login?.statusCode]).toEqual([order, 200]);
        const pair = pairOf(login as never);
        const isLeft = left.some(({ sessionId }) => sessionId === pair.key.sessionId);
        expect([order, (await embedded.refresh(pair)).statusCode]).toEqual([order, isLeft ? 200 : 400]);
        const isIn = ({ sessionId }: Pair["key"]) => left.some((session) => session.sessionId === sessionId);
        expect([order, isIn(oldKey), isIn(ownKey)]).toEqual([order, false, true]);
      },
    );
    expect(runs).toBeGreaterThan(10);
  });
});
