import { argon2Sync, randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import type { ApiResponse } from "../../lib/http/response.ts";
import { createMailId } from "../../lib/mail/codes.ts";
import { bodyOf, expectJson, expectProblem, invalidBody, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import type { Item } from "../support/database.ts";
import { fail, gather, hold, loseAnswer, precededBy } from "../support/faults.ts";
import { keepSecrets, log } from "../support/log.ts";
import { startMailbox } from "../support/mailbox.ts";
import { codeRefusals, type MailedCode, receiveCode, wrongCode as wrong } from "../support/mailed-code.ts";
import { pairOf } from "../support/pair.ts";
import { createStoredPasskey } from "../support/passkey.ts";
import { expectHashes } from "../support/password-hashes.ts";
import { type Account, startService } from "../support/service.ts";

const service = await startService();
const { database, wire } = service;
const mailbox = await startMailbox(service);
const { sandbox } = mailbox;

const { wrong: wrongCode, expired } = codeRefusals;

const ask = (email: string): Promise<MailedCode> =>
  receiveCode(mailbox, sandbox.forgotPassword({ body: { email } }));

/** A code as it was asked for, and another password. */
async function prepare(account?: Account) {
  const { email, userId, password } = account ?? (await service.addAccount());
  return { email, userId, password, ...(await ask(email)), newPassword: newPassword() };
}

function newPassword(): string {
  const password = `another sentence ${randomUUID()}`;
  keepSecrets(password);
  return password;
}

const reset = (
  { challenge, code, newPassword }: MailedCode & { newPassword: string },
  as = sandbox,
): Promise<ApiResponse> => as.resetPassword({ body: { challenge, code, newPassword } });
const logIn = (email: string, password: string) => sandbox.login({ body: { email, password } });
const findUser = (userId: string) => database.find("users", { userId });
const expectDone = (response: ApiResponse) => {
  expectJson(response, 200, { msg: "success" });
  expect(response.cookies).toBeUndefined();
};

test("a code sets a new password: the old one is over, no session is opened, and the row says how", async () => {
  const asked = await prepare();
  clock.advance(60);
  const steps = [
    ...["UpdateItem mails", "UpdateItem users", "Query sessions", "UpdateItem users", "DeleteItem attempts"],
  ];
  expectDone(await service.expectRequests(steps, () => reset(asked)));
  expect(log.entries().at(-1)).toMatchObject({
    event: "authn_password_change",
    by: "reset",
    userId: asked.userId,
  });
  expectProblem(await logIn(asked.email, asked.password), refusals.loginFailed);
  expect((await logIn(asked.email, asked.newPassword)).statusCode).toBe(200);
  expect(await findUser(asked.userId)).toMatchObject({
    ...{ sessionEpoch: 1, sweptEpoch: 1, emailVerifiedAt: clock.now, passwordChangedAt: clock.now },
    resetBy: asked.challenge.split(".")[0],
    lastChange: { event: "authn_password_change", by: "reset", at: clock.now, ip: "192.0.2.7" },
  });
});

test("nothing about the account changes, and the old password works, until the code comes back", async () => {
  const account = await service.addAccount();
  const pair = await service.logIn({ account });
  const before = await findUser(account.userId);
  await ask(account.email);
  expect(await findUser(account.userId)).toEqual(before);
  await service.rotate(pair);
  await service.logIn({ account });
});

describe("a code", () => {
  test("is read as people type it", async () => {
    const asked = await prepare();
    const typed = ` ${asked.code.toLowerCase().replaceAll("-", " ").replaceAll("0", "o").replaceAll("1", "l")} `;
    expectDone(await reset({ ...asked, code: typed }));
  });

  const rule = "must be the nine letters and digits of a code";
  test.each(["", "K4M-XQ2-T9", "K4M-XQ2-T9WX", "K4M-XQ2-T9U", "😀".repeat(9)])(
    "V06 %j is none, and takes no try",
    async (code) => {
      const { challenge } = await prepare();
      await service.expectRefusal(
        () => reset({ challenge, code, newPassword: newPassword() }),
        invalidBody(["code", rule]),
      );
    },
  );

  test("V07 200 guesses at once: five are looked at, and then there is no right one", async () => {
    const asked = await prepare();
    const guesses = Array.from({ length: 200 }, () => reset({ ...asked, code: wrong(asked.code) }));
    const codes = (await Promise.all(guesses)).map((response) => bodyOf(response).code);
    expect(codes.filter((code) => code === "invalid_code")).toHaveLength(5);
    expect(codes.filter((code) => code === "code_expired")).toHaveLength(195);
    expectProblem(await reset(asked), expired);
    expect((await logIn(asked.email, asked.password)).statusCode).toBe(200);
  });

  test("a wrong one is one request, a line in the log, and leaves the right one good", async () => {
    const asked = await prepare();
    const guess = () => reset({ ...asked, code: wrong(asked.code) });
    for (let i = 0; i < 4; i++)
      expectProblem(await service.expectRequests(["UpdateItem mails"], guess), wrongCode);
    expect(log.entries().at(-1)).toMatchObject({
      event: "authn_login_fail",
      reason: "wrong code",
      kind: "reset",
    });
    expectDone(await reset(asked));
  });

  test("V09 V13 with a challenge that we did not make, or made for another, it costs nobody a try and us no request", async () => {
    const asked = await prepare();
    const [id, seal] = asked.challenge.split(".");
    for (const challenge of [
      `${id}.${"A".repeat(22)}`,
      `${createMailId({ kind: "reset", email: "ada@example.com" })}.${seal}`,
      "",
      "x".repeat(5_000),
    ])
      await service.expectRefusal(() => reset({ ...asked, challenge }), expired);
    expect(await database.find("mails", { id: id ?? "" })).not.toHaveProperty("tries");
    expectDone(await reset(asked));
  });

  test("is over after an hour, and only then", async () => {
    const asked = await prepare();
    clock.advance(3_599);
    expectProblem(await reset({ ...asked, code: wrong(asked.code) }), wrongCode);
    clock.advance(1);
    expectProblem(await reset(asked), expired);
  });

  test("V02 of an address without an account there is none: guesses are answered as of one with an account", async () => {
    const { challenge, codeBegins } = bodyOf(
      await sandbox.forgotPassword({ body: { email: `${randomUUID()}@example.com` } }),
    );
    await mailbox.deliver();
    const guess = () => reset({ challenge, code: `${codeBegins}0000-0000`, newPassword: newPassword() });
    for (let i = 0; i < 5; i++)
      expectProblem(await service.expectRequests(["UpdateItem mails"], guess), wrongCode);
    expectProblem(await guess(), expired);
  });

  test("F08 is over as soon as a newer one was used", async () => {
    const [older, { email }] = await withEmail();
    clock.advance(1);
    const newer = { ...(await ask(email)), newPassword: newPassword() };
    expectDone(await reset(newer));
    expectProblem(await reset(older), expired);
    expect((await logIn(email, newer.newPassword)).statusCode).toBe(200);
  });

  test("F09 is over as soon as the password was changed otherwise", async () => {
    const [asked, account] = await withEmail();
    const { cookies } = await service.logIn({ account });
    const body = { currentPassword: account.password, newPassword: newPassword() };
    expect((await sandbox.changePassword({ cookies, body })).statusCode).toBe(200);
    expectProblem(await reset(asked), expired);
  });

  test("F09 the code that set a password says nothing about the next one: no guess is looked at", async () => {
    const [asked, account] = await withEmail();
    expectDone(await reset(asked));
    clock.advance(600);
    const { newPassword: current } = asked;
    const { cookies } = await service.logIn({ account: { ...account, password: current } });
    const next = newPassword();
    const body = { currentPassword: current, newPassword: next };
    expect((await sandbox.changePassword({ cookies, body })).statusCode).toBe(200);
    for (const guess of [newPassword(), next])
      expectProblem(await expectHashes(1, () => reset({ ...asked, newPassword: guess })), expired);
  });

  test("whoever writes another address into the row of a mail has no code for it", async () => {
    const mallory = await prepare();
    const { email, userId, password } = await service.addAccount();
    const [id = ""] = mallory.challenge.split(".");
    await database.change("mails", { id }, { email, userId });
    expectProblem(await reset(mallory), expired);
    expect((await logIn(email, password)).statusCode).toBe(200);
  });

  test("F09 a code that was used is answered again for ten minutes: later it would say whether a guess is right", async () => {
    const [asked] = await withEmail();
    expectDone(await reset(asked));
    clock.advance(599);
    expectDone(await reset(asked));
    clock.advance(1);
    expectProblem(await reset(asked), expired);
  });

  async function withEmail(): Promise<[MailedCode & { newPassword: string }, Account]> {
    const account = await service.addAccount();
    return [{ ...(await ask(account.email)), newPassword: newPassword() }, account];
  }

  /** What becomes of an account between ask and reset. */
  const fates: [what: string, change: (userId: string, email: string) => Promise<unknown>][] = [
    [
      "F10 its address was changed",
      (userId) => database.change("users", { userId }, { email: "new@example.com" }),
    ],
    ["F12 it was disabled", (userId) => database.change("users", { userId }, { disabledAt: clock.now })],
    ["F12 it is being deleted", (userId) => database.change("users", { userId }, { deletingAt: clock.now })],
    ["F12 it was deleted, and the address registered anew", registerAnew],
  ];

  async function registerAnew(userId: string, email: string): Promise<void> {
    await database.delete("users", { userId });
    await database.delete("identities", { identity: `email:${email}` });
    expect((await sandbox.register({ body: { email, password: newPassword() } })).statusCode).toBe(201);
  }

  test.each(fates)("sets no password of an account: %s", async (_, change) => {
    const asked = await prepare();
    await change(asked.userId, asked.email);
    const before = await database.scan("users");
    expectProblem(await reset(asked), expired);
    expect(await database.scan("users")).toEqual(before);
  });
});

describe("a new password", () => {
  test("F12 is set where a deletion broke off 15 minutes ago, and the code is mailed", async () => {
    const { userId, ...account } = await service.addAccount();
    await database.change("users", { userId }, { deletingAt: clock.now - 900 });
    expectDone(await reset(await prepare({ ...account, userId })));
  });

  test("F15 that is common takes neither a try nor a request; one's own address leaves the code good; the old one is taken", async () => {
    const asked = await prepare();
    const common = invalidBody(["newPassword", "is among the most common passwords; choose another one"]);
    await service.expectRefusal(() => reset({ ...asked, newPassword: "passwordpassword" }), common);
    const own = invalidBody(["newPassword", "must not be or contain your e-mail address"]);
    expectProblem(await reset({ ...asked, newPassword: `mine is ${asked.email}` }), own);
    expectDone(await reset({ ...asked, newPassword: asked.password }));
    expect((await logIn(asked.email, asked.password)).statusCode).toBe(200);
  });

  test("F14 lets the owner in at once whom a guesser has locked out", async () => {
    const asked = await prepare();
    for (let i = 0; i < 6; i++) await logIn(asked.email, "not the right one");
    expect((await logIn(asked.email, asked.password)).statusCode).toBe(429);
    expectDone(await reset(asked));
    // For so long a sandbox knows by itself whom it has refused.
    clock.advance(5);
    expect((await logIn(asked.email, asked.newPassword)).statusCode).toBe(200);
  });

  test.each([
    ["an identity", { identityIds: new Set(["external:1"]) }],
    ["a passkey", { passkeys: { own: createStoredPasskey(1) } }],
  ])(
    "F18 that is the first proof of an address: nothing else opens the account, like %s",
    async (_, given) => {
      const asked = await prepare();
      await database.change("users", { userId: asked.userId }, given);
      expectDone(await reset(asked));
      const user = await findUser(asked.userId);
      expect(user).toMatchObject({ sessionEpoch: 1, emailVerifiedAt: clock.now });
      for (const name of ["identityIds", "passkeys"]) expect(user).not.toHaveProperty(name);
    },
  );

  test("F18 sets it all the same where a session proves the address between its two writes, and takes nothing then", async () => {
    const asked = await prepare();
    const { userId } = asked;
    const [identityIds, emailVerifiedAt] = [new Set(["external:1"]), clock.now - 1];
    await database.change("users", { userId }, { identityIds });
    wire.break("UpdateItem users", (request) => request.deliver());
    wire.break(
      "UpdateItem users",
      precededBy(() => database.change("users", { userId }, { emailVerifiedAt })),
    );
    expectDone(await reset(asked));
    expect(await findUser(userId)).toMatchObject({ identityIds, emailVerifiedAt, sessionEpoch: 1 });
    expect((await logIn(asked.email, asked.newPassword)).statusCode).toBe(200);
  });

  test("F18 takes nothing from an account whose address was proven before", async () => {
    const asked = await prepare();
    const passkeys = { own: createStoredPasskey(1) };
    const given = { identityIds: new Set(["external:1"]), passkeys, emailVerifiedAt: 7 };
    await database.change("users", { userId: asked.userId }, given);
    expectDone(await reset(asked));
    expect(await findUser(asked.userId)).toMatchObject(given);
  });
});

describe("every session ends", () => {
  test.each(["request", "answer"] as const)(
    "F04 that of a refresh under way, too: its %s is held",
    async (what) => {
      const { account, pairs } = await service.open(3);
      const asked = await prepare(account);
      const held = hold(what);
      wire.break("UpdateItem sessions", held.fault);
      clock.advance(60);
      const refreshing = service.refresh(pairs[0], { as: sandbox });
      await held.arrived;
      expectDone(await reset(asked));
      await held.release();
      const response = await refreshing;
      const successors = response.statusCode === 200 ? [pairOf(response)] : [];
      await service.expectOver([...pairs.slice(1), ...successors]);
      expect(await database.sessionsOf(asked.userId)).toEqual([]);
    },
  );

  test.each(["request", "answer"] as const)(
    "F05 that of a login with the old password, too: the %s of its put is held",
    async (what) => {
      const asked = await prepare();
      const held = hold(what);
      wire.break("PutItem sessions", held.fault);
      const loggingIn = logIn(asked.email, asked.password);
      await held.arrived;
      expectDone(await reset(asked));
      await held.release();
      expectProblem(await loggingIn, refusals.loginFailed);
      expect(await database.sessionsOf(asked.userId)).toEqual([]);
    },
  );

  test("F07 where that breaks off the answer is 503, the new password holds, and the same request goes on", async () => {
    const { account, pairs } = await service.open(2);
    const asked = await prepare(account);
    wire.break("Query sessions", fail, { times: 3 });
    expectProblem(await reset(asked), refusals.unavailable);
    expect(await findUser(asked.userId)).toMatchObject({ sessionEpoch: 1, sweptEpoch: 0 });
    expectDone(await reset(asked));
    await service.expectOver(pairs);
    expect(await findUser(asked.userId)).toMatchObject({ sessionEpoch: 1, sweptEpoch: 1 });
  });
});

describe("once, however often it is sent", () => {
  test.each([1, 3])("F07 the answer of DynamoDB is lost %d times", async (times) => {
    const asked = await prepare();
    wire.break("UpdateItem users", loseAnswer, { times });
    const first = await reset(asked);
    if (times === 3) expectProblem(first, refusals.unavailable);
    else expectDone(first);
    const change = (await findUser(asked.userId))?.lastChange;
    expectDone(await reset(asked));
    expect(await findUser(asked.userId)).toMatchObject({ sessionEpoch: 1, lastChange: change });
  });

  test("F06 two with one code and two passwords at once: one is done, the other expired", async () => {
    const asked = await prepare();
    const other = { ...asked, newPassword: newPassword() };
    wire.break("UpdateItem users", gather(2), { times: 2 });
    const responses = await Promise.all([reset(asked), reset(other)]);
    const [done, refused] = responses.toSorted((a, b) => a.statusCode - b.statusCode) as [
      ApiResponse,
      ApiResponse,
    ];
    expectDone(done);
    expectProblem(refused, expired);
    const logins = await Promise.all(
      [asked, other].map(({ email, newPassword }) => logIn(email, newPassword)),
    );
    expect(logins.map(({ statusCode }) => statusCode).sort()).toEqual([200, 401]);
    expect(await findUser(asked.userId)).toMatchObject({ sessionEpoch: 1 });
  });

  test("F06 a second password is refused though the clock of the first was behind that of the ask", async () => {
    const asked = await prepare();
    expectDone(await clock.runAt(clock.now - 4, () => reset(asked)));
    expectProblem(await reset({ ...asked, newPassword: newPassword() }), expired);
  });

  test("F11 a late copy of its write changes no password that was chosen since", async () => {
    const asked = await prepare();
    let late: (() => Promise<unknown>) | undefined;
    wire.break("UpdateItem users", (request) => {
      late = () => request.deliver();
      return request.deliver();
    });
    expectDone(await reset(asked));
    clock.advance(1);
    const last = { ...(await ask(asked.email)), newPassword: newPassword() };
    expectDone(await reset(last));
    const before = await findUser(asked.userId);
    await late?.();
    expect(await findUser(asked.userId)).toEqual(before);
  });

  test("F11 a re-hash of a login under way does not bring the old password back", async () => {
    const asked = await prepare();
    const passwordHash = makeWeakHash(asked.password);
    await database.change("users", { userId: asked.userId }, { passwordHash });
    const held = hold("request");
    wire.break("UpdateItem users", held.fault);
    const loggingIn = logIn(asked.email, asked.password);
    await held.arrived;
    expectDone(await reset(asked));
    await held.release();
    await loggingIn;
    expect((await logIn(asked.email, asked.newPassword)).statusCode).toBe(200);
    expectProblem(await logIn(asked.email, asked.password), refusals.loginFailed);
  });
});

/** A hash of before the parameters rose, which a login makes anew. */
function makeWeakHash(password: string): string {
  const salt = Buffer.alloc(16, 1);
  const work = { memory: 64, passes: 1, parallelism: 1, tagLength: 32 };
  const tag = argon2Sync("argon2id", { message: password, nonce: salt, ...work });
  const encode = (bytes: Buffer) => bytes.toString("base64").replaceAll("=", "");
  return `$argon2id$v=19$m=64,t=1,p=1$${encode(salt)}$${encode(tag)}`;
}

test("M09 after the whole flow nothing in a table opens anything", async () => {
  const asked = await prepare();
  expectDone(await reset(asked));
  const tables = ["mails", "attempts", "users", "identities", "sessions"];
  const text = JSON.stringify(
    await Promise.all(tables.map((table): Promise<Item[]> => database.scan(table))),
  );
  for (const secret of [asked.code, asked.code.replaceAll("-", ""), asked.challenge, asked.newPassword])
    expect(text.includes(secret)).toBe(false);
});
