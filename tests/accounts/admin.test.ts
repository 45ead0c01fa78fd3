import { randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import type { ApiResponse } from "../../lib/http/response.ts";
import { createAdministrator } from "../support/administrator.ts";
import { bodyOf, expectNoContent, expectProblem, refusals } from "../support/answer.ts";
import { createAuthenticators } from "../support/authenticator.ts";
import { clock } from "../support/clock.ts";
import type { Item } from "../support/database.ts";
import type { ClientRequest } from "../support/event.ts";
import { hold, loseAnswer, loseRequest, precededBy } from "../support/faults.ts";
import { log } from "../support/log.ts";
import { startMailbox } from "../support/mailbox.ts";
import { cookieOf, pairOf } from "../support/pair.ts";
import { type Account, startService } from "../support/service.ts";
import { createTold } from "../support/told.ts";

// The admin API: what `npm run users` does, over HTTP. What the use cases do in each case stands in operators.test.ts.

const service = await startService();
const { sandbox, database, wire, feed } = service;
const { registerProven, rowsOf, mailsTo } = createTold(service);
const mailbox = await startMailbox(service);
const addFactor = createAuthenticators(service);
/** The token in the last mail to an address that has one. */
async function receiveToken(email: string): Promise<string> {
  await mailbox.deliver();
  const isOne = ({ to, link }: (typeof mailbox.sent)[number]) =>
    to.includes(email) && link.includes("token=");
  return mailbox.sent.findLast(isOne)?.link.split("token=")[1] ?? "";
}
const logIn = ({ email, password }: Account) => sandbox.login({ body: { email, password } });

const forbidden = { status: 403, code: "forbidden", detail: "This needs the role admin." };
const ownAccount = {
  ...{ status: 409, code: "own_account" },
  detail: "This is your own account. Another administrator, or `npm run users`, can change it.",
};
const tooOld = {
  ...refusals.notFresh,
  detail: "This needs a login of the last 900 s. Log in again.",
  headers: { "www-authenticate": 'Bearer error="insufficient_user_authentication", max_age="900"' },
};
const noSuchUser = {
  ...{ status: 404, code: "not_found" },
  detail: "There is no such user, or the account is being deleted.",
};

/** What changes an account. */
const changing = {
  disableUser: {},
  enableUser: {},
  resetUser: { body: { now: true } },
  setUserRoles: { body: { roles: ["editor"] } },
  endUserSessions: {},
  deleteUser: {},
} satisfies Partial<Record<keyof typeof sandbox, ClientRequest>>;
/** Every route of it. */
const all = {
  ...changing,
  ...{ listUsers: {}, showUser: {}, listUserEvents: {} },
  inviteUser: { body: { email: "somebody.new@example.com" } },
};
type Name = keyof typeof all;
const names = Object.keys(all) as Name[];

const call = (name: Name, cookies: string[], userId: string, more: ClientRequest = {}) =>
  sandbox[name]({ ...all[name], cookies, pathParameters: { userId }, ...more });

/** Everything that is stored. */
const everything = () =>
  Promise.all((["users", "identities", "sessions", "mails"] as const).map(database.scan));

describe("only an administrator who has just logged in is let in; each refusal is in the log, and changes nothing", () => {
  /** Makes somebody who is refused, and how. */
  const callers = {
    "without the role": async () => {
      const { cookies } = await service.logIn({ account: await service.addAccount() });
      return { cookies, refusal: forbidden };
    },
    "U05 whose login was 16 minutes ago": async () => {
      const { pair } = await createAdministrator(service);
      clock.advance(960);
      return { cookies: (await service.rotate(pair)).cookies, refusal: tooOld };
    },
    "U05 whose role was taken away a second ago": async () => {
      const { account, pair } = await createAdministrator(service);
      const other = await createAdministrator(service);
      await call("setUserRoles", other.pair.cookies, account.userId);
      clock.advance(1);
      return { cookies: pair.cookies, refusal: refusals.invalidToken };
    },
    "U05 whose role was taken away, and the sweep has not come yet": async () => {
      const { account, pair } = await createAdministrator(service);
      await database.change("users", { userId: account.userId }, { roles: undefined, sessionEpoch: 1 });
      return { cookies: pair.cookies, refusal: refusals.invalidToken };
    },
    "who has been disabled": async () => {
      const { account, pair } = await createAdministrator(service);
      await database.change("users", { userId: account.userId }, { disabledAt: 1 });
      return { cookies: pair.cookies, refusal: refusals.invalidToken };
    },
    "with a second factor that this session was opened without": async () => {
      const { account, pair } = await createAdministrator(service);
      await addFactor(account);
      return { cookies: pair.cookies, refusal: refusals.oneFactor };
    },
  };

  test.each(Object.entries(callers))("%s", async (_, create) => {
    const { userId } = await registerProven();
    const { cookies, refusal } = await create();
    const before = await everything();
    for (const name of names) {
      expectProblem(await call(name, cookies, userId), refusal);
      expect(log.entries().at(-1)).toMatchObject({ event: "authz_admin", code: refusal.code });
    }
    expect(await everything()).toEqual(before);
  });

  test("with the second factor an administrator is let in", async () => {
    const { account } = await createAdministrator(service);
    const { recoveryCodes } = await addFactor(account);
    const { email, password } = account;
    const { cookies } = pairOf(await sandbox.login({ body: { email, password, otp: recoveryCodes[0] } }));
    expect((await sandbox.listUsers({ cookies })).statusCode).toBe(200);
  });
});

test.each(Object.keys(changing) as (keyof typeof changing)[])(
  "U04 %s: nobody does that to himself",
  async (name) => {
    const { account, pair } = await createAdministrator(service);
    const before = await everything();
    expectProblem(await call(name, pair.cookies, account.userId), ownAccount);
    expect(await everything()).toEqual(before);
  },
);

/** What changes something. */
const writing = [...Object.keys(changing), "inviteUser"] as Name[];

test.each(writing)("%s: an access token alone does nothing, the whole pair does", async (name) => {
  const { userId } = await registerProven();
  const { pair } = await createAdministrator(service);
  const { token, refreshToken } = pair;
  const another = (await createAdministrator(service)).pair.refreshToken;
  const bearer = (more: object = {}) => ({
    ...{ cookies: [], headers: { authorization: `Bearer ${token}` } },
    body: { ...(all[name] as ClientRequest & { body?: object }).body, ...more },
  });
  const before = await everything();
  expectProblem(
    await call(name, [cookieOf({ token, refreshToken: another })], userId),
    refusals.invalidToken,
  );
  for (const request of [bearer(), bearer({ refreshToken: another })])
    expectProblem(await call(name, [], userId, request), refusals.invalidToken);
  expect(await everything()).toEqual(before);
  const email = `${randomUUID()}@example.com`;
  const asked = bearer({ refreshToken, ...(name === "inviteUser" && { email }) });
  expect((await call(name, [], userId, asked)).statusCode).toBeLessThan(300);
});

test.each(names.filter((name) => name !== "listUsers" && name !== "inviteUser"))(
  "%s of a user who is not there, or of no user id",
  async (name) => {
    const { cookies } = (await createAdministrator(service)).pair;
    for (const userId of [randomUUID(), "x".repeat(3_000), "ada@example.com"])
      expectProblem(await call(name, cookies, userId), noSuchUser);
  },
);

describe("what an administrator does", () => {
  /** An administrator, and a user who is logged in. */
  async function create() {
    const account = await registerProven();
    const admin = await createAdministrator(service);
    const pair = await service.logIn({ account });
    const { cookies } = admin.pair;
    const ask = (name: Name, more?: ClientRequest) => call(name, cookies, account.userId, more);
    return { account, pair, cookies, ask, by: `admin ${admin.account.userId}` };
  }

  test("disable and enable: every session is over, nobody is let in, the owner is told; a row and the log name who did it", async () => {
    const { account, pair, ask, by } = await create();
    const { userId, email } = account;
    wire.break("UpdateItem users", loseAnswer);
    expect(bodyOf(await ask("disableUser"))).toMatchObject({ userId, email, disabledAt: clock.now });
    const { requestId } = log.entries().at(-1) ?? { requestId: undefined };
    expect(log.entries().at(-1)).toMatchObject({
      ...{ event: "authz_admin", userId: by.split(" ")[1], targetId: userId, status: 200 },
    });
    await service.expectOver([pair]);
    expectProblem(await logIn(account), refusals.loginFailed);
    await feed("events");
    expect((await rowsOf(userId)).at(-1)).toMatchObject({ event: "user_archived", by, requestId });
    expect((await mailsTo(email)).map(({ notice }) => notice)).toContain("accountDisabled");
    clock.advance(1);
    expect(bodyOf(await ask("enableUser"))).not.toHaveProperty("disabledAt");
    expect((await logIn(account)).statusCode).toBe(200);
  });

  test("roles: these and no others, from the next login on", async () => {
    const { account, pair, ask } = await create();
    const set = (roles: unknown) => ask("setUserRoles", { body: { roles } });
    expect(bodyOf(await set(["admin", "acme:editor", "admin"])).roles).toEqual(["admin", "acme:editor"]);
    await service.expectOver([pair]);
    expect((await service.logIn({ account })).claims.roles).toEqual(["admin", "acme:editor"]);
    const rule =
      "must be a list of roles, each of up to 64 letters, digits and . : @ / _ - without blanks, but not the word none";
    for (const wrong of [["two words"], "admin", [1], ["none"], ["ädmin"]])
      expect(bodyOf(await set(wrong))).toMatchObject({ code: "invalid_body", detail: `roles ${rule}` });
    const tooMany = Array.from({ length: 20 }, (_, i) => `${i}`.repeat(20));
    expect(bodyOf(await set(tooMany)).code).toBe("invalid_body");
    expect(bodyOf(await set([]))).not.toHaveProperty("roles");
  });

  test("the end of all sessions, after which the user logs in again", async () => {
    const { account, pair, ask } = await create();
    expectNoContent(await ask("endUserSessions"));
    await service.expectOver([pair]);
    expect((await logIn(account)).statusCode).toBe(200);
  });

  test("a deletion goes on where it broke off, and the rows stay", async () => {
    const { account, pair, ask, by } = await create();
    const { userId, email } = account;
    wire.break("TransactWriteItems users identities", loseRequest, { times: 3 });
    expectProblem(await ask("deleteUser"), refusals.unavailable);
    clock.advance(1);
    expectNoContent(await ask("deleteUser"));
    await service.expectOver([pair]);
    expect(await database.find("users", { userId })).toBeUndefined();
    expect(await database.find("identities", { identity: `email:${email}` })).toBeUndefined();
    await feed("events");
    expect(bodyOf(await ask("listUserEvents")).events[0]).toMatchObject({ event: "user_deleted", by });
    expectProblem(await ask("showUser"), noSuchUser);
  });

  /** Asserts that an account is gone, and that its deletion was told, once. */
  async function expectDeleted({ userId }: Account, ask: (name: Name) => Promise<ApiResponse>) {
    expect(await database.find("users", { userId })).toBeUndefined();
    expect(await database.sessionsOf(userId)).toEqual([]);
    await feed("events");
    const { events } = bodyOf(await ask("listUserEvents"));
    expect(events.filter(({ event }: Item) => event === "user_deleted")).toHaveLength(1);
  }
  const last = "TransactWriteItems users identities";

  test.each(["disableUser", "enableUser", "setUserRoles", "endUserSessions"] as const)(
    "U17 a deletion that meets %s of another administrator comes after it",
    async (name) => {
      const { account, ask } = await create();
      const other = await createAdministrator(service);
      const meet = () => call(name, other.pair.cookies, account.userId);
      wire.break(
        last,
        precededBy(async () => expect((await meet()).statusCode).toBeLessThan(300)),
      );
      expectNoContent(await ask("deleteUser"));
      await expectDeleted(account, ask);
    },
  );

  test("U17 of two deletions at once each finishes what the other has begun", async () => {
    const { account, ask } = await create();
    const other = await createAdministrator(service);
    const held = hold("request");
    let second: Promise<ApiResponse> | undefined;
    wire.break(
      last,
      precededBy(async () => {
        wire.break("Query sessions", held.fault);
        second = call("deleteUser", other.pair.cookies, account.userId);
        await held.arrived;
      }),
    );
    expectNoContent(await ask("deleteUser"));
    await held.release();
    if (second) expectNoContent(await second);
    await expectDeleted(account, ask);
  });

  test("U17 an owner whose deletion an administrator overtakes is signed out", async () => {
    const { account, pair, ask } = await create();
    const { userId, password } = account;
    const held = hold("request");
    let second: Promise<ApiResponse> | undefined;
    wire.break(
      last,
      precededBy(async () => {
        wire.break("Query sessions", held.fault);
        second = ask("deleteUser");
        await held.arrived;
      }),
    );
    const own = await sandbox.deleteAccount({ cookies: pair.cookies, body: { password } });
    expectProblem(own, refusals.invalidToken);
    expect(await database.find("users", { userId })).toMatchObject({ sessionEpoch: 2 });
    await held.release();
    if (second) expectNoContent(await second);
    await expectDeleted(account, ask);
  });

  test("U17 a deletion that others overtake again and again gives up", async () => {
    const { account, ask, cookies } = await create();
    wire.break(
      last,
      precededBy(() => call("endUserSessions", cookies, account.userId)),
      { times: 3 },
    );
    expectProblem(await ask("deleteUser"), refusals.unavailable);
    expectNoContent(await ask("deleteUser"));
  });

  test.each([
    [false, 200],
    [true, 401],
  ])(
    "U15 a reset with now: %s mails a link that nobody else sees; the old password then is a %s",
    async (now, status) => {
      const { account, ask } = await create();
      const response = await ask("resetUser", { body: { now } });
      expect(bodyOf(response)).toEqual({ mailId: expect.any(String), validUntil: clock.now + 86_400 });
      expect((await logIn(account)).statusCode).toBe(status);
      const token = await receiveToken(account.email);
      expect(response.body).not.toContain(token);
      const newPassword = `${account.password} anew`;
      expect((await sandbox.resetPassword({ body: { token, newPassword } })).statusCode).toBe(200);
      expect((await logIn({ ...account, password: newPassword })).statusCode).toBe(200);
    },
  );

  test("an invitation has its roles from the administrator; the mail knows who sent it", async () => {
    const { cookies, by, account } = await create();
    const email = `${randomUUID().slice(0, 8)}@example.com`;
    const invite = (body: object) => sandbox.inviteUser({ cookies, body });
    expect(bodyOf(await invite({ email, roles: ["editor"] }))).toMatchObject({
      ...{ email, validUntil: clock.now + 604_800 },
    });
    expect(await mailsTo(email)).toMatchObject([{ kind: "invitation", invitedBy: by, language: "en" }]);
    const { password } = account;
    await sandbox.acceptInvitation({ body: { token: await receiveToken(email), password } });
    expect(pairOf(await sandbox.login({ body: { email, password } })).claims.roles).toEqual(["editor"]);
    expect(bodyOf(await invite({ email: account.email })).code).toBe("email_taken");
  });

  test("an invitation is sent once although the answer to its write was lost three times", async () => {
    const { cookies } = await create();
    const email = `${randomUUID().slice(0, 8)}@example.com`;
    wire.break("TransactWriteItems", loseAnswer, { times: 3 });
    expect((await sandbox.inviteUser({ cookies, body: { email } })).statusCode).toBe(202);
    expect(await mailsTo(email)).toHaveLength(1);
  });

  test("show tells what is stored, and nothing that opens the account", async () => {
    const { account, pair, ask } = await create();
    const { userId, email } = account;
    const { body = "", ...response } = await ask("showUser");
    expect([response.statusCode, JSON.parse(body)]).toEqual([
      200,
      expect.objectContaining({
        ...{ userId, email, roles: [], hasPassword: true, linkedIdentities: 0, moreSessions: false },
        sessions: [expect.objectContaining({ sessionId: pair.key.sessionId })],
      }),
    ]);
    expect(body).not.toMatch(/argon2|Hash|salt/i);
  });

  test("events are paged, the newest first", async () => {
    const { account, ask } = await create();
    const { userId } = account;
    const rows = Array.from({ length: 101 }, (_, i) => ({
      ...{ userId, change: `${clock.now + i}#change-${i}`, event: "user_updated", by: "user" },
      ...{ at: clock.now + i, requestId: "r", expiresAt: clock.now + 1_000 },
    }));
    for (const row of rows) await database.put("audit", row);
    const first = bodyOf(await ask("listUserEvents"));
    const second = bodyOf(await ask("listUserEvents", { query: { cursor: first.nextCursor } }));
    expect([first.events.length, first.events[0].at]).toEqual([100, clock.now + 100]);
    expect([second.events.at(-1).event, second.nextCursor]).toEqual(["user_created", null]);
    expect(bodyOf(await ask("listUserEvents", { query: { cursor: "x" } })).code).toBe("invalid_cursor");
    expect(bodyOf(await ask("listUserEvents", { query: { Cursor: "x" } }))).toMatchObject({
      ...{ code: "invalid_query", detail: "The query may have cursor, and nothing else." },
    });
  });

  test("an account whose changes were all forgotten is there, without events", async () => {
    const { account, ask } = await create();
    for (const { userId, change } of await rowsOf(account.userId))
      await database.delete("audit", { userId, change });
    expect(bodyOf(await ask("listUserEvents"))).toEqual({ events: [], nextCursor: null });
  });
});

describe("the list", () => {
  test("finds who has an address, in any case, and nobody by a part of one", async () => {
    const { cookies } = (await createAdministrator(service)).pair;
    const { userId, email } = await registerProven();
    const find = (query: Record<string, string>) => sandbox.listUsers({ cookies, query });
    expect(bodyOf(await find({ email: email.toUpperCase() }))).toMatchObject({
      ...{ users: [{ userId, email }], nextCursor: null },
    });
    expect(bodyOf(await find({ email: "nobody@example.com" })).users).toEqual([]);
    for (const query of [{ email: email.slice(0, 8) }, { email, cursor: userId }])
      expect(bodyOf(await find(query as Record<string, string>)).code).toBe("invalid_query");
    expect(bodyOf(await find({ cursor: "x" })).code).toBe("invalid_cursor");
    // The first page in its place would be taken for the one that was asked for.
    for (const query of [{ mail: email }, { nextCursor: userId }])
      expect(bodyOf(await find(query as Record<string, string>))).toMatchObject({
        ...{ code: "invalid_query", detail: "The query may have email or cursor, and nothing else." },
      });
  });

  test("shows everybody, page by page, a damaged item too", async () => {
    const { cookies } = (await createAdministrator(service)).pair;
    const damaged = randomUUID();
    await database.put("users", { userId: damaged, email: "x@example.com", roles: "admin" });
    const more = Array.from({ length: 101 }, () => randomUUID());
    const createdAt = clock.now;
    for (const userId of more)
      await database.put("users", {
        userId,
        email: `${userId}@example.com`,
        createdAt,
        sessionEpoch: 0,
        sweptEpoch: 0,
      });
    const listed: { userId: string; damaged?: string }[] = [];
    let cursor: string | null | undefined;
    do {
      const page = bodyOf(await sandbox.listUsers({ cookies, ...(cursor && { query: { cursor } }) }));
      expect(page.users.length).toBeLessThanOrEqual(100);
      listed.push(...page.users);
      cursor = page.nextCursor;
    } while (cursor);
    const ids = (await database.scan("users")).map(({ userId }) => userId).sort();
    expect(listed.map(({ userId }) => userId).sort()).toEqual(ids);
    expect(listed.find(({ userId }) => userId === damaged)).toEqual({
      userId: damaged,
      damaged: expect.stringContaining("roles"),
    });
    expect(JSON.stringify(listed)).not.toMatch(/argon2|Hash/);
    await database.delete("users", { userId: damaged });
  });
});
