import { randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { createRefreshToken } from "../../lib/tokens/refresh-token.ts";
import { bodyOf, expectProblem, invalidBody, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import type { ClientRequest } from "../support/event.ts";
import { fail, gather, hold, loseAnswer, precededBy } from "../support/faults.ts";
import { keepSecrets, log } from "../support/log.ts";
import { startMailbox } from "../support/mailbox.ts";
import { codeRefusals, type MailedCode, receiveCode, wrongCode } from "../support/mailed-code.ts";
import { pairOf } from "../support/pair.ts";
import { createStoredPasskey } from "../support/passkey.ts";
import { expectHashes } from "../support/password-hashes.ts";
import { type Account, type Step, startService } from "../support/service.ts";

// Sign-in by a mailed code. What every route does that asks for a code is in asking.test.ts; what a code may look like, in
// registration.test.ts.

const service = await startService();
const { database, wire } = service;
const mailbox = await startMailbox(service);
const { sandbox } = mailbox;
const prove = "UpdateItem mails";
const steps: Step[] = [prove, "GetItem users", "PutItem sessions", "GetItem users"];

const ask = (email: string): Promise<MailedCode> =>
  receiveCode(mailbox, sandbox.askLoginCode({ body: { email } }));
const logIn = ({ challenge, code }: MailedCode, request: ClientRequest = {}, as = sandbox) =>
  as.confirmLoginCode({ body: { challenge, code }, ...request });
const withKey = (key: string): ClientRequest => ({ headers: { "idempotency-key": key } });
const findUser = ({ userId }: Account) => database.find("users", { userId });
const findMail = ({ challenge }: MailedCode) => database.find("mails", { id: challenge.split(".")[0] ?? "" });

/** An account whose address is proven. */
async function registerProven(): Promise<Account> {
  const account = await service.addAccount();
  await database.change("users", { userId: account.userId }, { emailVerifiedAt: 7 });
  return account;
}

/** A code for an account whose address is proven. */
async function prepare() {
  const account = await registerProven();
  return { account, asked: await ask(account.email) };
}

test("a code opens a session as a password does, without one being hashed, and says so in the log", async () => {
  const { account, asked } = await prepare();
  const response = await service.expectRequests(steps, () => expectHashes(0, () => logIn(asked)));
  const pair = pairOf(response);
  expect(pair.claims).toMatchObject({ sub: account.userId, email: account.email });
  expect(log.entries().at(-1)).toMatchObject({
    ...{ event: "authn_login_success", by: "code", kind: "login", userId: account.userId },
    sessionHash: expect.any(String),
  });
  expect(await service.findSession(pair)).toMatchObject({ sessionEpoch: 0, keyed: false });
  expect(await findUser(account)).toMatchObject({ emailVerifiedAt: 7, sessionEpoch: 0 });
  expect(await findMail(asked)).toMatchObject({ provedAt: clock.now, usedAt: clock.now });
  clock.advance(60);
  await service.rotate(pair);
  // The password opens the account as before.
  await service.logIn({ account });
});

test("keys and mode of the client count as at a login", async () => {
  const sessionKey = createRefreshToken();
  const key = randomUUID();
  const { asked } = await prepare();
  const headers = { "auth-mode": "bearer", "idempotency-key": key, "session-key": sessionKey };
  const response = await logIn(asked, { headers });
  expect(response.cookies).toBeUndefined();
  const { token, refreshToken, device, expiresIn } = bodyOf(response);
  keepSecrets(device);
  expect([typeof token, typeof refreshToken, expiresIn]).toEqual(["string", "string", 900]);
  const { sub: userId, sid: sessionId } = JSON.parse(
    Buffer.from(token.split(".")[1], "base64url").toString(),
  );
  const session = await database.find("sessions", { userId, sessionId });
  expect(session).toMatchObject({ keyed: true, rotationKeyHash: expect.any(String) });
  expect(session).toHaveProperty("sessionKeyHash");
});

describe("ends the browser's earlier session", () => {
  test("of the pair that it presents, whoever's it is", async () => {
    const stranger = await service.logIn();
    const { asked } = await prepare();
    const request = { cookies: stranger.cookies };
    pairOf(await service.expectRequests([...steps, "DeleteItem sessions"], () => logIn(asked, request)));
    await service.expectOver([stranger]);
  });

  test("of the device entry, when the pair is gone; the next entry is known at a login by password", async () => {
    const account = await registerProven();
    const { email, password, userId } = account;
    const deviceOf = (cookies: string[] = []) =>
      cookies.flatMap((line) => (/-device=[^;]/.test(line) ? (line.split(";")[0] ?? "") : []));
    const first = await sandbox.login({ body: { email, password } });
    const second = await logIn(await ask(email), { cookies: deviceOf(first.cookies) });
    const { key } = pairOf(second);
    const left = async () => (await database.sessionsOf(userId)).map(({ sessionId }) => sessionId);
    expect(await left()).toEqual([key.sessionId]);
    const third = await sandbox.login({ body: { email, password }, cookies: deviceOf(second.cookies) });
    expect(await left()).toEqual([pairOf(third).key.sessionId]);
  });
});

describe("the code", () => {
  test("L01 is good for ten minutes", async () => {
    const { account, asked } = await prepare();
    const { expiresIn } = bodyOf(await sandbox.askLoginCode({ body: { email: account.email } }));
    await mailbox.deliver();
    expect(expiresIn).toBe(600);
    clock.advance(599);
    expectProblem(await logIn({ ...asked, code: wrongCode(asked.code) }), codeRefusals.wrong);
    clock.advance(2);
    expectProblem(await logIn(asked), codeRefusals.expired);
  });

  test("L02 opens one session without a key, and again only with the key of the first", async () => {
    const key = randomUUID();
    const [bare, keyed] = [await prepare(), await prepare()];
    pairOf(await logIn(bare.asked));
    expectProblem(await service.expectRequests([prove], () => logIn(bare.asked)), codeRefusals.expired);
    expectProblem(await logIn(bare.asked, withKey(key)), codeRefusals.expired);
    const first = pairOf(await logIn(keyed.asked, withKey(key)));
    const again = pairOf(await logIn(keyed.asked, withKey(key)));
    expect(again.key).not.toEqual(first.key);
    expectProblem(await logIn(keyed.asked, withKey(randomUUID())), codeRefusals.expired);
    expectProblem(await logIn(keyed.asked), codeRefusals.expired);
    expect(await database.sessionsOf(keyed.account.userId)).toHaveLength(2);
  });

  test("L02 opens one session of ten logins at once", async () => {
    const { asked } = await prepare();
    wire.break(prove, gather(10), { times: 10 });
    const responses = await Promise.all(Array.from({ length: 10 }, () => logIn(asked)));
    expect(responses.map(({ statusCode }) => statusCode).sort()).toEqual([200, ...Array(9).fill(400)]);
  });

  test("L03 counts though the answer of DynamoDB was lost and the SDK tried again", async () => {
    const { asked } = await prepare();
    wire.break(prove, loseAnswer, { times: 2 });
    pairOf(await service.expectRequests([prove, prove, ...steps], () => logIn(asked)));
  });

  test("L04 L06 in somebody's link signs nobody in who has no challenge, which is no cookie", async () => {
    const { email } = await registerProven();
    const asking = await sandbox.askLoginCode({ body: { email } });
    expect(asking.cookies).toBeUndefined();
    const { code, link } = await mailbox.receive();
    expect(new URL(link).hash).toBe(`#kind=login&code=${code.replaceAll("-", "")}`);
    const victim = await service.logIn();
    const body = { code };
    await service.expectRefusal(
      () => sandbox.confirmLoginCode({ body, cookies: victim.cookies }),
      invalidBody(["challenge", "is missing"]),
    );
    await service.rotate(victim);
    // The first call of a page that a webmail opened has none of our cookies.
    const headers = { "sec-fetch-site": "same-origin" };
    pairOf(await logIn({ challenge: bodyOf(asking).challenge, code }, { headers }));
  });

  test("V07 200 guesses at once: five are looked at, and then there is no right one", async () => {
    const { asked } = await prepare();
    const guess = { ...asked, code: wrongCode(asked.code) };
    const responses = await Promise.all(Array.from({ length: 200 }, () => logIn(guess)));
    const codes = responses.map((response) => bodyOf(response).code);
    expect(codes.filter((code) => code === "invalid_code")).toHaveLength(5);
    expect(log.entries().at(-1)).toMatchObject({ kind: "login", status: 400 });
    expectProblem(await logIn(asked), codeRefusals.expired);
  });

  test("is not used up while there is no key to sign with", async () => {
    const { asked } = await prepare();
    const { JWT_SIGNING_KEYS: _, ...others } = service.environment;
    const broken = mailbox.createSandbox({
      ...others,
      JWT_SIGNING_KEYS: "",
      JWT_SIGNING_KEYS_SECRET: "none",
      AWS_ENDPOINT_URL_SECRETS_MANAGER: "http://127.0.0.1:9",
    });
    expectProblem(await service.expectRequests([], () => logIn(asked, {}, broken)), refusals.unavailable);
    pairOf(await logIn(asked));
  });
});

/** What becomes of an account between ask and login. */
const fates: [what: string, change: (account: Account) => Promise<unknown>][] = [
  ["is disabled", ({ userId }) => database.change("users", { userId }, { disabledAt: clock.now })],
  ["is being deleted", ({ userId }) => database.change("users", { userId }, { deletingAt: clock.now })],
  ["is gone", ({ userId }) => database.delete("users", { userId })],
  ["has another address", ({ userId }) => database.change("users", { userId }, { email: "x@example.com" })],
];

describe.each(fates)("nobody gets into an account that %s", (_, change) => {
  test("before the code comes back", async () => {
    const { account, asked } = await prepare();
    await change(account);
    expectProblem(await service.expectRequests(steps.slice(0, 2), () => logIn(asked)), codeRefusals.expired);
    expect(await database.sessionsOf(account.userId)).toEqual([]);
  });

  test("after the user was read", async () => {
    const { account, asked } = await prepare();
    const raised = { sessionEpoch: 1, sweptEpoch: 1 };
    wire.break(
      "PutItem sessions",
      precededBy(async () => {
        await change(account);
        // A change of address ends all sessions, too.
        if (await findUser(account)) await database.change("users", { userId: account.userId }, raised);
      }),
    );
    expectProblem(await logIn(asked), codeRefusals.expired);
    expect(await database.sessionsOf(account.userId)).toEqual([]);
  });
});

test("a login that races the end of all sessions starts again, in the raised epoch", async () => {
  const { account, asked } = await prepare();
  const held = hold("request");
  wire.break("PutItem sessions", held.fault);
  const loggingIn = logIn(asked);
  await held.arrived;
  const { cookies } = await service.logIn({ account });
  expect((await sandbox.revokeAllSessions({ cookies })).statusCode).toBe(204);
  await held.release();
  const pair = pairOf(await loggingIn);
  expect(await database.sessionsOf(account.userId)).toEqual([
    expect.objectContaining({ sessionId: pair.key.sessionId, sessionEpoch: 1 }),
  ]);
});

describe("the first proof of an address", () => {
  test("ends every session, and removes the password and every other way in: they may be a stranger's", async () => {
    const { account, pairs } = await service.open(2);
    const { userId, email, password } = account;
    await database.change(
      "users",
      { userId },
      {
        identityIds: new Set(["external:1"]),
        passkeys: { own: createStoredPasskey(1) },
      },
    );
    const asked = await ask(email);
    const opened = pairOf(
      await service.expectRequests(
        [
          ...[prove, "GetItem users", "UpdateItem users", "PutItem sessions"],
          ...["Query sessions", "BatchWriteItem sessions", "UpdateItem users", "GetItem users"],
        ],
        () => logIn(asked),
      ),
    );
    await service.expectOver(pairs);
    const user = await findUser(account);
    expect(user).toMatchObject({
      ...{ emailVerifiedAt: clock.now, sessionEpoch: 1, sweptEpoch: 1 },
      lastChange: { event: "user_updated", by: "code", at: clock.now, ip: "192.0.2.7" },
    });
    expect(user).not.toHaveProperty("passwordHash");
    for (const name of ["identityIds", "passkeys"]) expect(user).not.toHaveProperty(name);
    expectProblem(await sandbox.login({ body: { email, password } }), refusals.loginFailed);
    clock.advance(60);
    await service.rotate(opened);
  });

  test("removes nothing where the address is proven meanwhile, and nothing of one that has moved on", async () => {
    const account = await service.addAccount();
    const asked = await ask(account.email);
    wire.break(
      "UpdateItem users",
      precededBy(() => database.change("users", { userId: account.userId }, { emailVerifiedAt: 9 })),
    );
    pairOf(await logIn(asked));
    expect(await findUser(account)).toMatchObject({ emailVerifiedAt: 9, sessionEpoch: 0 });
    await service.logIn({ account });

    const moved = await service.addAccount();
    const late = await ask(moved.email);
    wire.break(
      "UpdateItem users",
      precededBy(() => database.change("users", { userId: moved.userId }, { email: "y@example.com" })),
    );
    expectProblem(await logIn(late), codeRefusals.expired);
    expect(await findUser(moved)).toHaveProperty("passwordHash");
  });

  test("that breaks off is finished by the repeat with the key", async () => {
    const { account, pairs } = await service.open(1);
    const asked = await ask(account.email);
    const key = withKey(randomUUID());
    wire.break("Query sessions", fail, { times: 3 });
    expectProblem(await logIn(asked, key), refusals.unavailable);
    expect(await findUser(account)).toMatchObject({ sessionEpoch: 1, sweptEpoch: 0 });
    pairOf(await logIn(asked, key));
    await service.expectOver(pairs);
    expect(await findUser(account)).toMatchObject({ sessionEpoch: 1, sweptEpoch: 1 });
  });
});
