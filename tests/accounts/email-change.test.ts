import { randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import type { ApiResponse } from "../../lib/http/response.ts";
import { createRefreshToken } from "../../lib/tokens/refresh-token.ts";
import {
  bodyOf,
  expectJson,
  expectNoContent,
  expectProblem,
  invalidBody,
  type Refusal,
  refusals,
} from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { gather, hold, loseAnswer, loseRequest, precededBy } from "../support/faults.ts";
import { raceLogin } from "../support/interleave.ts";
import { keepSecrets, log } from "../support/log.ts";
import { startMailbox } from "../support/mailbox.ts";
import { keepTokens, type Pair, pairOf } from "../support/pair.ts";
import { type Account, proof, type Step, startService } from "../support/service.ts";

const service = await startService();
const { sandbox, database, wire, expectRequests, expectRefusal } = service;
const mailbox = await startMailbox(service);
const live = "GetItem sessions";
const look = "GetItem users";
const transaction = "TransactWriteItems identities users";
const prove = "UpdateItem mails";
const weekSeconds = 604_800;

const ending = ["Query sessions", "BatchWriteItem sessions", "UpdateItem users"];
const asking: Step[] = [live, ...proof, "UpdateItem attempts", "PutItem mails"];
const moving: Step[] = [live, prove, look, transaction, "PutItem sessions", ...ending, look];

const expired: Refusal = {
  ...{ status: 400, code: "code_expired" },
  detail: "The code was used, is too old or was asked for elsewhere. Ask for a new one.",
};
const taken: Refusal = {
  ...{ status: 409, code: "email_taken" },
  detail: "There is an account with this e-mail address.",
};
const recently: Refusal = {
  ...{ status: 409, code: "email_changed_recently" },
  detail:
    "The e-mail address was changed less than seven days ago. Try again when that can no longer be undone.",
};

interface Proof {
  challenge: string;
  code: string;
}

const someone = () => `${randomUUID().slice(0, 13)}@example.org`;
const entryOf = (email: string) => database.find("identities", { identity: `email:${email}` });
const userOf = ({ userId }: Account) => database.find("users", { userId });
const logIn = (email: string, { password }: Account) => sandbox.login({ body: { email, password } });

/** An account with two sessions: another one, and the one that the test acts from. Its address is proven. */
async function open() {
  const { account, pairs } = await service.open(2);
  await database.change("users", { userId: account.userId }, { emailVerifiedAt: 1 });
  return { account, other: pairs[0], own: pairs[1], newEmail: someone() };
}

function ask({ cookies }: Pair, newEmail: string, { password }: Account): Promise<ApiResponse> {
  return sandbox.askEmailChange({ cookies, body: { newEmail, password } });
}

/** Asks, and gives what the answer and the mail bring. */
async function request(pair: Pair, newEmail: string, account: Account): Promise<Proof> {
  const { challenge } = bodyOf(await ask(pair, newEmail, account));
  return { challenge, code: await mailbox.receiveCode(newEmail) };
}

const confirm = ({ cookies }: Pair, body: Proof, as = sandbox) => as.confirmEmailChange({ cookies, body });

/** An account whose session has a code for another address. */
async function prepare() {
  const opened = await open();
  return { ...opened, proof: await request(opened.own, opened.newEmail, opened.account) };
}

/** Asserts that an account was moved once, as a whole, and that the address before is kept for it. */
async function expectMoved({ account, newEmail }: { account: Account; newEmail: string }) {
  const { userId, email } = account;
  const user = await userOf(account);
  const until = user?.undoUntil;
  expect(user).toMatchObject({ email: newEmail, previousEmail: email, sessionEpoch: 1 });
  expect(await entryOf(newEmail)).toEqual({
    identity: `email:${newEmail}`,
    userId,
    createdAt: until - weekSeconds,
  });
  expect(await entryOf(email)).toMatchObject({ userId, reservedUntil: until, expiresAt: until });
}

async function expectUnmoved({ account, newEmail }: { account: Account; newEmail: string }) {
  const { userId, email } = account;
  expect(await userOf(account)).toMatchObject({ email });
  expect(await userOf(account)).not.toHaveProperty("movedBy");
  expect(await entryOf(email)).not.toHaveProperty("reservedUntil");
  expect((await entryOf(newEmail))?.userId).not.toBe(userId);
}

describe("POST /auth/email", () => {
  test("N18 mails to one address are counted for two days, and then anew", async () => {
    const { account, own, newEmail } = await open();
    for (let count = 0; count < 3; count++) expect((await ask(own, newEmail, account)).statusCode).toBe(202);
    expect((await ask(own, newEmail, account)).statusCode).toBe(429);
    clock.advance(172_800);
    const later = await service.logIn({ account });
    wire.forget();
    expect((await ask(later, newEmail, account)).statusCode).toBe(202);
    expect(wire.names).toContain("PutItem attempts");
    await mailbox.deliver();
  });

  test("of a source that is over its limit counts no attempt of the account, and looks at no password", async () => {
    const { account, own, newEmail } = await open();
    const limited = mailbox.createSandbox({ MAIL_LIMIT_PER_SOURCE_PER_HOUR: "1" });
    const body = { newEmail, password: account.password };
    expect((await limited.askEmailChange({ cookies: own.cookies, body })).statusCode).toBe(202);
    const steps: Step[] = [live, look, "UpdateItem attempts"];
    const response = await expectRequests(steps, () =>
      limited.askEmailChange({ cookies: own.cookies, body }),
    );
    expect(response.statusCode).toBe(429);
    await mailbox.deliver();
  });

  test("N02 answers the same where the new address is taken, free or reserved, after the same requests; the mail tells", async () => {
    const { email: takenEmail } = await service.addAccount();
    const reserved = someone();
    const reservation = { userId: randomUUID(), createdAt: 1, reservedUntil: clock.now + 60 };
    await database.put("identities", { identity: `email:${reserved}`, ...reservation });
    for (const [newEmail, hasCode] of [
      [takenEmail, false],
      [reserved, false],
      [someone(), true],
    ] as const) {
      const { account, own } = await open();
      const response = await expectRequests(asking, () => ask(own, newEmail, account));
      const { challenge, codeBegins } = bodyOf(response);
      expectJson(response, 202, { challenge, codeBegins, expiresIn: 3_600 });
      const mail = await mailbox.receive();
      expect([mail.to, mail.code !== ""]).toEqual([[newEmail], hasCode]);
    }
  });

  test("N01 needs the password, which is counted, and a session that lives", async () => {
    const { account, own, other, newEmail } = await open();
    const wrong = { ...account, password: "not the right password" };
    await expectRefusal(() => ask(own, newEmail, wrong), refusals.wrongPassword, [live, ...proof]);
    const without = { cookies: own.cookies, body: { newEmail } };
    const missing = invalidBody(["password", "is missing"]);
    await expectRefusal(() => sandbox.askEmailChange(without), missing, [live, look]);
    await sandbox.logout({ cookies: other.cookies });
    await expectRefusal(() => ask(other, newEmail, account), refusals.invalidToken, [live]);
    for (let i = 2; i <= 5; i++) await ask(own, newEmail, wrong);
    expect((await ask(own, newEmail, account)).statusCode).toBe(429);
  });

  test("of an account without a password needs a login of the last 300 s", async () => {
    const { account, own, newEmail } = await open();
    await database.change("users", { userId: account.userId }, { passwordHash: undefined });
    const call = () => sandbox.askEmailChange({ cookies: own.cookies, body: { newEmail } });
    clock.advance(300);
    expect((await call()).statusCode).toBe(202);
    clock.advance(1);
    await expectRefusal(call, refusals.notFresh, [live, look]);
  });

  test("N18 lets three mails to a stranger's address pass, whoever asks", async () => {
    const { email: victim } = await service.addAccount();
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) {
      const { account, own } = await open();
      statuses.push((await ask(own, victim, account)).statusCode);
    }
    expect(statuses).toEqual([202, 202, 202, 429]);
  });
});

describe("a copied access token is not enough", () => {
  /** Each route, with what it takes of this caller. */
  const calls = {
    askEmailChange: async (_own: Pair, newEmail: string, account: Account) => ({
      newEmail,
      password: account.password,
    }),
    confirmEmailChange: request,
  };

  test.each(["askEmailChange", "confirmEmailChange"] as const)(
    "%s needs the refresh token that is current",
    async (name) => {
      const { account, own, newEmail } = await open();
      const body = await calls[name](own, newEmail, account);
      const headers = { authorization: `Bearer ${own.token}` };
      for (const refreshToken of [undefined, "x", createRefreshToken()]) {
        const call = () => sandbox[name]({ headers, body: { ...body, refreshToken } });
        await expectRefusal(call, refusals.invalidToken, [live]);
      }
      clock.advance(60);
      const renewed = await service.rotate(own);
      const stale = () => sandbox[name]({ cookies: own.cookies, body });
      await expectRefusal(stale, refusals.invalidToken, [live]);
      const current = { ...body, refreshToken: renewed.refreshToken };
      expect((await sandbox[name]({ headers, body: current })).statusCode).toBeLessThan(300);
    },
  );

  test("either route needs the Session-Key of the session, and takes no Auth-Mode beside the cookie", async () => {
    const account = await service.addAccount();
    const sessionKey = createRefreshToken();
    const own = await service.logIn({ account, sessionKey });
    const newEmail = someone();
    const headers = { "session-key": sessionKey };
    const body = { newEmail, password: account.password };
    const { cookies } = own;
    await expectRefusal(() => ask(own, newEmail, account), refusals.sessionKeyRequired, [live]);
    const bearer = { ...headers, "auth-mode": "bearer" };
    const inBoth = () => sandbox.askEmailChange({ cookies, headers: bearer, body });
    await expectRefusal(inBoth, refusals.conflict, [live]);
    const { challenge } = bodyOf(await sandbox.askEmailChange({ cookies, headers, body }));
    const { code } = await mailbox.receive();
    const call = () => confirm(own, { challenge, code });
    await expectRefusal(call, refusals.sessionKeyRequired, [live]);
    const moved = await sandbox.confirmEmailChange({ cookies, headers, body: { challenge, code } });
    // The new session is bound to it, too.
    clock.advance(60);
    expectProblem(await service.refresh(pairOf(moved)), refusals.sessionKeyRequired);
    await service.rotate(pairOf(moved), { sessionKey });
  });
});

describe("POST /auth/email/confirm", () => {
  test("N03 moves the account: the new address logs in, the caller goes on in a new session, all others end", async () => {
    const { account, other, own, newEmail, proof } = await prepare();
    clock.advance(60);
    const before = log.entries().length;
    const response = await expectRequests(moving, () => confirm(own, proof));
    expectJson(response, 200, { msg: "success", email: newEmail });
    expect(log.entries()[before]).toMatchObject({ event: "user_updated", kind: "email" });
    await expectMoved({ account, newEmail });
    const user = await userOf(account);
    expect(user).toMatchObject({
      ...{ emailVerifiedAt: clock.now, undoUntil: clock.now + weekSeconds, sweptEpoch: 1 },
      movedBy: proof.challenge.split(".")[0],
      lastChange: { event: "user_updated", by: "user", at: clock.now, ip: "192.0.2.7" },
    });
    const pair = pairOf(response);
    // Who typed a code in did not sign in.
    const { auth_time } = own.claims;
    expect(pair.claims).toMatchObject({ email: newEmail, auth_time, iat: clock.now });
    expect(response.cookies?.at(-1)).toMatch(new RegExp(`^auth-cookie-device=${pair.key.sessionId}\\.1\\.`));
    await service.expectOver([other, own]);
    expectProblem(await logIn(account.email, account), refusals.loginFailed);
    expect((await logIn(newEmail, account)).statusCode).toBe(200);
    clock.advance(60);
    expect((await service.rotate(pair)).claims).toMatchObject({ email: newEmail, auth_time });
  });

  test("the greatest age of the session counts from its login, and so does what needs a fresh one", async () => {
    const { own, proof } = await prepare();
    const as = service.createSandbox({ SESSION_MAX_AGE_SECONDS: "600" });
    clock.advance(301);
    const pair = pairOf(await confirm(own, proof, as));
    const session = await service.findSession(pair);
    expect(session).toMatchObject({ expiresAt: own.claims.auth_time + 600, createdAt: clock.now });
    const query = { except: "current" };
    expectProblem(await sandbox.revokeAllSessions({ cookies: pair.cookies, query }), refusals.notFresh);
    const { sessions } = bodyOf(await sandbox.listSessions({ cookies: pair.cookies }));
    expect(sessions).toMatchObject([{ createdAt: own.claims.auth_time }]);
    const later = service.createSandbox({ SESSIONS_NOT_BEFORE: String(clock.now) });
    expectProblem(await later.refresh({ cookies: pair.cookies }), refusals.tokenExpired);
  });

  test("a bearer client gets its pair in the body", async () => {
    const { account, own, newEmail } = await open();
    const headers = { authorization: `Bearer ${own.token}` };
    const { refreshToken } = own;
    const wish = { newEmail, password: account.password, refreshToken };
    const { challenge } = bodyOf(await sandbox.askEmailChange({ headers, body: wish }));
    const { code } = await mailbox.receive();
    const moved = await sandbox.confirmEmailChange({ headers, body: { challenge, code, refreshToken } });
    keepTokens(moved.body ?? "");
    expectJson(moved, 200, {
      ...{ msg: "success", email: newEmail, token: expect.any(String), refreshToken: expect.any(String) },
      ...{ expiresIn: 900, device: expect.stringMatching(/^[\w-]+\.1\./) },
    });
    expect(moved.cookies).toBeUndefined();
  });

  test("proves the account's own address, and changes nothing else", async () => {
    const { account, other, own } = await open();
    const proof = await request(own, account.email, account);
    const before = await userOf(account);
    const response = await expectRequests([live, prove, look, "UpdateItem users"], () => confirm(own, proof));
    expectJson(response, 200, { msg: "success", email: account.email });
    expect(await userOf(account)).toEqual({
      ...{ ...before, emailVerifiedAt: clock.now },
      lastChange: expect.objectContaining({ event: "user_updated", by: "user" }),
    });
    // The pair may have been renewed meanwhile: an old one would take the place of the new one.
    expect(response.cookies).toBeUndefined();
    expectJson(await confirm(own, proof), 200, { msg: "success", email: account.email });
    await service.rotate(other);
  });

  test("N04 in another session of the user, or another's, the code is worth nothing", async () => {
    const { other, own, proof, ...moved } = await prepare();
    const stranger = await service.logIn();
    for (const pair of [other, stranger])
      await expectRefusal(() => confirm(pair, proof), expired, [live, prove]);
    await expectUnmoved(moved);
    expect((await confirm(own, proof)).statusCode).toBe(200);
  });

  test("N05 is a 409 where somebody has taken the address meanwhile, or it is kept for another, and nothing is changed", async () => {
    const { account, own, newEmail, proof } = await prepare();
    const password = `correct horse ${randomUUID()}`;
    expect((await sandbox.register({ body: { email: newEmail, password } })).statusCode).toBe(201);
    const before = [await userOf(account), await entryOf(newEmail)];
    expectProblem(await confirm(own, proof), taken);
    expect([await userOf(account), await entryOf(newEmail)]).toEqual(before);
    await database.change("identities", { identity: `email:${newEmail}` }, { reservedUntil: clock.now + 9 });
    expectProblem(await confirm(own, proof), taken);
    await expectUnmoved({ account, newEmail });
    clock.advance(9);
    expect((await confirm(own, proof)).statusCode).toBe(200);
  });

  test("N06 of two codes for two addresses each counts with its own challenge", async () => {
    const { account, own, newEmail, proof } = await prepare();
    const second = await request(own, someone(), account);
    const crossed = { challenge: second.challenge, code: proof.code };
    const wrongCode = { status: 400, code: "invalid_code", detail: "The code is not right." };
    expectProblem(await confirm(own, crossed), wrongCode);
    expect((await confirm(own, proof)).statusCode).toBe(200);
    await expectMoved({ account, newEmail });
    // Its session is over.
    expectProblem(await confirm(own, second), refusals.invalidToken);
  });

  test.each<[what: string, act: (pair: Pair, account: Account) => Promise<unknown>]>([
    ["a change of the password", changePassword],
    ["the end of all sessions", ({ cookies }) => sandbox.revokeAllSessions({ cookies })],
    [
      "the end of all others",
      ({ cookies }) => sandbox.revokeAllSessions({ cookies, query: { except: "current" } }),
    ],
    [
      "the deletion of the account",
      ({ cookies }, { password }) => sandbox.deleteAccount({ cookies, body: { password } }),
    ],
    [
      "an operator who disables it",
      (_, { userId }) => database.change("users", { userId }, { disabledAt: clock.now }),
    ],
  ])("N07 that meets %s between its look and its write is a 503, and nothing is changed", async (_, act) => {
    const { account, other, own, newEmail, proof } = await prepare();
    wire.break(
      transaction,
      precededBy(() => act(other, account)),
    );
    expectProblem(await confirm(own, proof), refusals.unavailable);
    expectProblem(await confirm(own, proof), refusals.invalidToken);
    expect(await entryOf(newEmail)).toBeUndefined();
    expect((await userOf(account))?.email).not.toBe(newEmail);
  });

  test("N07 beside a re-hash of the password both are done", async () => {
    const { account, own, newEmail, proof } = await prepare();
    const { userId } = account;
    const { passwordHash } = (await service.logIn().then(() => userOf(account))) ?? {};
    wire.break(
      transaction,
      precededBy(() => database.change("users", { userId }, { passwordHash: `${passwordHash}` })),
    );
    expect((await confirm(own, proof)).statusCode).toBe(200);
    await expectMoved({ account, newEmail });
  });

  // The first three only read and prove.
  test.each(moving.flat().map((name, done) => [done, name] as const))(
    "N08 that broke off after %i requests, its process killed before %s, is finished by the same request or says 401",
    async (done, name) => {
      const { account, other, own, newEmail, proof } = await prepare();
      wire.break("", (request) => request.deliver(), { times: done });
      wire.break("", loseRequest, { times: 99 });
      expectProblem(await confirm(own, proof), refusals.unavailable);
      wire.mend();
      if (done <= 3) await expectUnmoved({ account, newEmail });
      else await expectMoved({ account, newEmail });
      const again = await confirm(own, proof);
      // The sweep has ended the session by then.
      expect(again.statusCode).toBe(name === "UpdateItem users" || done === 8 ? 401 : 200);
      await expectMoved({ account, newEmail });
      clock.advance(60);
      if (again.statusCode === 200) await service.rotate(pairOf(again));
      expect((await logIn(newEmail, account)).statusCode).toBe(200);
      await service.expectOver([other, own]);
    },
  );

  test.each([1, 2, 3])(
    "N08 is done once although the answer to its write was lost %d times",
    async (times) => {
      const { account, own, newEmail, proof } = await prepare();
      wire.break(transaction, loseAnswer, { times });
      expect((await confirm(own, proof)).statusCode).toBe(200);
      await expectMoved({ account, newEmail });
    },
  );

  test("N08 that is sent twice at once is done once, and each answer has a session of its own", async () => {
    const { account, own, newEmail, proof } = await prepare();
    wire.break(transaction, gather(2), { times: 2 });
    const both = await Promise.all([confirm(own, proof), confirm(own, proof)]);
    expect(both.map(({ statusCode }) => statusCode)).toEqual([200, 200]);
    await expectMoved({ account, newEmail });
    expect(await database.sessionsOf(account.userId)).toHaveLength(2);
    expectProblem(await confirm(own, proof), refusals.invalidToken);
    clock.advance(60);
    for (const response of both) await service.rotate(pairOf(response));
  });

  test("N08 whose sessions are all ended before it is answered gives no pair", async () => {
    const { account, own, newEmail, proof } = await prepare();
    const held = hold("request");
    wire.break("PutItem sessions", held.fault);
    const confirming = confirm(own, proof);
    await held.arrived;
    // The new address has the account already.
    const { cookies } = pairOf(await logIn(newEmail, account));
    expectNoContent(await sandbox.revokeAllSessions({ cookies }));
    await held.release();
    expectProblem(await confirming, refusals.invalidToken);
    expect(await database.sessionsOf(account.userId)).toEqual([]);
  });

  test("N08 that broke off, and whose sessions were all ended since, does not go on", async () => {
    const { account, own, proof } = await prepare();
    wire.break("PutItem sessions", loseRequest, { times: 3 });
    expectProblem(await confirm(own, proof), refusals.unavailable);
    // Somebody has ended all sessions, and that broke off, too.
    await database.change("users", { userId: account.userId }, { sessionEpoch: 2 });
    expectProblem(await confirm(own, proof), refusals.invalidToken);
  });

  test("N09 keeps the address before from everybody for seven days", async () => {
    const { account, own, proof } = await prepare();
    await confirm(own, proof);
    const body = { email: account.email, password: `correct horse ${randomUUID()}` };
    clock.advance(weekSeconds - 1);
    expectProblem(await sandbox.register({ body }), taken);
    clock.advance(1);
    expect((await sandbox.register({ body })).statusCode).toBe(201);
  });

  test("N09 keeps none that nobody has proven: it may be of somebody who has never been here, and is free at once", async () => {
    const { account, own, newEmail, proof } = await prepare();
    const { userId, email } = account;
    await database.change("users", { userId }, { emailVerifiedAt: undefined });
    const moved = pairOf(await expectRequests(moving, () => confirm(own, proof)));
    expect(await entryOf(email)).toBeUndefined();
    const user = await userOf(account);
    expect(user).toMatchObject({ email: newEmail, emailVerifiedAt: clock.now, sessionEpoch: 1 });
    for (const name of ["previousEmail", "undoUntil"]) expect(user).not.toHaveProperty(name);
    const body = { email, password: `correct horse ${randomUUID()}` };
    expect((await sandbox.register({ body })).statusCode).toBe(201);
    // From now on it is as with any other.
    const next = await request(moved, someone(), account);
    expect((await confirm(moved, next)).statusCode).toBe(200);
    expect(await entryOf(newEmail)).toMatchObject({ reservedUntil: clock.now + weekSeconds });
  });

  test("N09 an address that is proven while it is left is looked at anew", async () => {
    const { account, own, proof } = await prepare();
    const { userId } = account;
    await database.change("users", { userId }, { emailVerifiedAt: undefined });
    wire.break(
      transaction,
      precededBy(() => database.change("users", { userId }, { emailVerifiedAt: 1 })),
    );
    expectProblem(await confirm(own, proof), refusals.unavailable);
    expect((await confirm(own, proof)).statusCode).toBe(200);
    expect(await entryOf(account.email)).toMatchObject({ reservedUntil: clock.now + weekSeconds });
  });

  test("N10 is done once in seven days", async () => {
    const { account, own, newEmail, proof } = await prepare();
    const moved = pairOf(await confirm(own, proof));
    await expectRefusal(() => ask(moved, someone(), account), recently, [live, look]);
    clock.advance(weekSeconds);
    const next = pairOf(await logIn(newEmail, account));
    const second = await request(next, account.email, account);
    await database.change("users", { userId: account.userId }, { undoUntil: clock.now + 1 });
    expectProblem(await confirm(next, second), recently);
    clock.advance(1);
    // Back to the address of before, which nobody has taken.
    expect((await confirm(next, second)).statusCode).toBe(200);
    expect(await userOf(account)).toMatchObject({ email: account.email, previousEmail: newEmail });
  });

  test("N15 a login with the address of before, under way meanwhile, opens nothing, or ends with the move, in every order", async () => {
    const { account, own, newEmail, proof } = await prepare();
    await raceLogin(service, {
      account,
      act: (as) => confirm(own, proof, as),
      check: async ({ login, other }) => {
        expect(other.statusCode).toBe(200);
        await expectMoved({ account, newEmail });
        const left = await database.sessionsOf(account.userId);
        expect(left).toMatchObject([{ email: newEmail, sessionId: pairOf(other).key.sessionId }]);
        expect([200, 401]).toContain(login.statusCode);
        await database.delete("identities", { identity: `email:${newEmail}` });
      },
    });
  });

  test("N16 N17 the JWT of before the move changes nothing, and shows nothing", async () => {
    const { account, own, newEmail, proof } = await prepare();
    const { cookies } = own;
    expect((await confirm(own, proof)).statusCode).toBe(200);
    const before = [await userOf(account), await database.sessionsOf(account.userId)];
    const { password } = account;
    for (const refused of [
      await sandbox.deleteAccount({ cookies, body: { password } }),
      await sandbox.revokeAllSessions({ cookies }),
      await changePassword(own, account),
      await sandbox.exportAccount({ cookies }),
      await ask(own, someone(), account),
    ])
      expectProblem(refused, refusals.invalidToken);
    expect([await userOf(account), await database.sessionsOf(account.userId)]).toEqual(before);
    clock.advance(weekSeconds);
    const { cookies: current } = pairOf(await logIn(newEmail, account));
    expectNoContent(await sandbox.deleteAccount({ cookies: current, body: { password } }));
    expect(await userOf(account)).toBeUndefined();
  });
});

function changePassword({ cookies }: Pair, { password }: Account): Promise<ApiResponse> {
  const newPassword = `${password} and more`;
  keepSecrets(newPassword);
  return sandbox.changePassword({ cookies, body: { currentPassword: password, newPassword } });
}
