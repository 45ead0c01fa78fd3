import { randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { bodyOf, expectJson, expectProblem, invalidBody, type Refusal, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { fail, gather, loseAnswer, loseRequest, precededBy } from "../support/faults.ts";
import { keepSecrets, log } from "../support/log.ts";
import { startMailbox } from "../support/mailbox.ts";
import { type Pair, pairOf } from "../support/pair.ts";
import { createStoredPasskey } from "../support/passkey.ts";
import { type Account, type Step, startService } from "../support/service.ts";

const service = await startService();
const { sandbox, database, wire, expectRequests, expectRefusal } = service;
const mailbox = await startMailbox(service);
const look = "GetItem users";
const transaction = "TransactWriteItems identities users";
const ending = ["Query sessions", "BatchWriteItem sessions", "UpdateItem users"];
const undoing: Step[] = ["GetItem mails", look, transaction, ...ending];
const weekSeconds = 604_800;

const expired: Refusal = {
  ...{ status: 400, code: "code_expired" },
  detail: "The code was used, is too old or was asked for elsewhere. Ask for a new one.",
};

const userOf = ({ userId }: Account) => database.find("users", { userId });
const entryOf = (email: string) => database.find("identities", { identity: `email:${email}` });
const logIn = (email: string, password: string) => sandbox.login({ body: { email, password } });

interface Moved {
  account: Account;
  newEmail: string;
  /** The session in which it was done. */
  thief: Pair;
  token: string;
  newPassword: string;
}

/** An account with a proven address that somebody who knew the password has moved to another one, and the mail to its owner. */
async function move(more: object = {}, given?: Account): Promise<Moved> {
  const account = given ?? (await service.addAccount());
  const { userId, email, password } = account;
  await database.change("users", { userId }, { emailVerifiedAt: 1, ...more });
  const newEmail = `${randomUUID().slice(0, 13)}@example.org`;
  const { cookies } = await service.logIn({ account });
  const { challenge } = bodyOf(await sandbox.askEmailChange({ cookies, body: { newEmail, password } }));
  const code = await mailbox.receiveCode(newEmail);
  const thief = pairOf(await sandbox.confirmEmailChange({ cookies, body: { challenge, code } }));
  await service.feed("events");
  await mailbox.deliver();
  const { link = "" } =
    mailbox.sent.findLast(({ to, link }) => to.includes(email) && /token=/.test(link)) ?? {};
  const newPassword = `a whole new sentence ${randomUUID()}`;
  keepSecrets(newPassword);
  return { account, newEmail, thief, token: /token=(\S+)/.exec(link)?.[1] ?? "", newPassword };
}

const undo = ({ token, newPassword }: Pick<Moved, "token" | "newPassword">) =>
  sandbox.undoEmailChange({ body: { token, newPassword } });

/** Asserts that the account is its owner's again, and nobody else's. */
async function expectUndone({ account, newEmail, newPassword }: Moved) {
  const { userId, email, password } = account;
  expect(await entryOf(email)).toEqual({ identity: `email:${email}`, userId, createdAt: expect.any(Number) });
  expect(await entryOf(newEmail)).toBeUndefined();
  const user = await userOf(account);
  expect(user).toMatchObject({ email, sweptEpoch: user?.sessionEpoch });
  for (const name of ["previousEmail", "movedBy", "undoUntil"]) expect(user).not.toHaveProperty(name);
  expect(await database.sessionsOf(userId)).toEqual([]);
  expect((await logIn(email, newPassword)).statusCode).toBe(200);
  for (const [at, secret] of [
    [email, password],
    [newEmail, password],
    [newEmail, newPassword],
  ] as const)
    expectProblem(await logIn(at, secret), refusals.loginFailed);
}

describe("POST /auth/email/undo", () => {
  test("takes the token of no other address than the one before, whatever the row of the mail says", async () => {
    const { token, ...moved } = await move();
    const [id = ""] = token.split(".");
    await database.change("mails", { id }, { email: moved.newEmail });
    expectProblem(await undo({ ...moved, token }), expired);
    await database.change("mails", { id }, { email: moved.account.email });
    await database.change("users", { userId: moved.account.userId }, { previousEmail: "c@example.com" });
    expectProblem(await undo({ ...moved, token }), expired);
  });

  test("N11 gives the account back to whoever has the address before, and takes it from everybody else; both are told", async () => {
    const moved = await move();
    const { account, thief, newEmail } = moved;
    clock.advance(weekSeconds - 1);
    expectJson(await expectRequests(undoing, () => undo(moved)), 200, { msg: "success" });
    expect(log.entries().at(-1)).toMatchObject({ event: "user_updated", by: "undo", userId: account.userId });
    expect(await userOf(account)).toMatchObject({
      ...{ sessionEpoch: 2, passwordChangedAt: clock.now, emailVerifiedAt: clock.now },
      resetBy: moved.token.split(".")[0],
      lastChange: { event: "user_updated", by: "undo", ip: "192.0.2.7" },
    });
    await service.expectOver([thief]);
    mailbox.ses.forget();
    await service.feed("events");
    await mailbox.deliver();
    const told = mailbox.sent.flatMap(({ to }) => to);
    expect(told.toSorted()).toEqual([account.email, newEmail].toSorted());
    await expectUndone(moved);
  });

  test("N11 of other ways in those stay that were there a week before the change, whatever has become of them since", async () => {
    const [long, late, gone] = ["long", "late", "gone"].map((name) => `external:${name} ${randomUUID()}`);
    const identityIds = new Set([long, late, gone]);
    for (const [identity, age] of [
      [long, weekSeconds + 1],
      [late, weekSeconds],
    ] as const)
      await database.put("identities", { identity, userId: randomUUID(), createdAt: clock.now - age });
    const passkeys = {
      long: createStoredPasskey(clock.now - weekSeconds - 1),
      late: createStoredPasskey(clock.now - weekSeconds),
    };
    const moved = await move({ identityIds, passkeys });
    expect((await undo(moved)).statusCode).toBe(200);
    expect(await userOf(moved.account)).toMatchObject({
      identityIds: new Set([long]),
      passkeys: { long: passkeys.long },
    });
    expect((await userOf(moved.account))?.passkeys).not.toHaveProperty("late");
  });

  test("N11 where none was there so long none stays", async () => {
    const late = { late: createStoredPasskey(clock.now) };
    const moved = await move({ identityIds: new Set([`external:${randomUUID()}`]), passkeys: late });
    expect((await undo(moved)).statusCode).toBe(200);
    expect(await userOf(moved.account)).not.toHaveProperty("passkeys");
    expect(await userOf(moved.account)).not.toHaveProperty("identityIds");
  });

  test("N12 is done once: the same again is a 200, with another password expired", async () => {
    const moved = await move();
    expect((await undo(moved)).statusCode).toBe(200);
    const before = await userOf(moved.account);
    expect((await undo(moved)).statusCode).toBe(200);
    expectProblem(await undo({ ...moved, newPassword: `${moved.newPassword} or not` }), expired);
    expect(await userOf(moved.account)).toEqual(before);
  });

  test("N12 is over when seven days have passed, or the account is gone or going", async () => {
    const [late, going, gone] = [await move(), await move(), await move()];
    await database.delete("users", { userId: gone.account.userId });
    await database.change("users", { userId: going.account.userId }, { deletingAt: clock.now - 899 });
    for (const moved of [gone, going]) expectProblem(await undo(moved), expired);
    // It broke off.
    clock.advance(1);
    expect((await undo(going)).statusCode).toBe(200);
    clock.advance(weekSeconds);
    const before = await userOf(late.account);
    expectProblem(await undo(late), expired);
    expect(await userOf(late.account)).toEqual(before);
  });

  test("N12 N13 with a token that we did not make, or none, nothing happens, and nothing is asked of DynamoDB", async () => {
    const { token, newPassword } = await move();
    const [id = "", mac = ""] = token.split(".");
    const other = (text: string) => (text.startsWith("A") ? "B" : "A") + text.slice(1);
    const forged = [`${other(id)}.${mac}`, `${id}.${other(mac)}`, id, `${token}A`, "", "x".repeat(5_000)];
    for (const each of forged) await expectRefusal(() => undo({ token: each, newPassword }), expired);
    const without = invalidBody(["newPassword", "is missing"]);
    await expectRefusal(() => sandbox.undoEmailChange({ body: { token } }), without);
  });

  test("a password that is common takes no request; one's own address leaves the token good", async () => {
    const moved = await move();
    const common = invalidBody(["newPassword", "is among the most common passwords; choose another one"]);
    await expectRefusal(() => undo({ ...moved, newPassword: "passwordpassword" }), common);
    const own = invalidBody(["newPassword", "must not be or contain your e-mail address"]);
    expectProblem(await undo({ ...moved, newPassword: `mine is ${moved.account.email}` }), own);
    expect((await undo(moved)).statusCode).toBe(200);
  });

  test("is limited per source address, as logins are", async () => {
    const moved = await move();
    const as = service.createSandbox({ LOGIN_LIMIT_PER_SOURCE_PER_MINUTE: "1" });
    const body = { token: moved.token, newPassword: moved.newPassword };
    const call = () => as.undoEmailChange({ body });
    const steps: Step[] = ["UpdateItem attempts", ...undoing];
    expect((await expectRequests(steps, call)).statusCode).toBe(200);
    expect((await call()).statusCode).toBe(429);
  });

  test.each<[what: string, act: (moved: Moved) => Promise<unknown>]>([
    ["ends all other sessions", ({ thief: { cookies } }) => sandbox.revokeAllSessions({ cookies })],
    [
      "changes the password",
      ({ thief: { cookies }, account: { password } }) => {
        const newPassword = `${password} of a thief`;
        keepSecrets(newPassword);
        return sandbox.changePassword({ cookies, body: { currentPassword: password, newPassword } });
      },
    ],
  ])("a thief who %s between its look and its write does not stop it", async (_, act) => {
    const moved = await move();
    wire.break(
      transaction,
      precededBy(() => act(moved)),
    );
    expect((await undo(moved)).statusCode).toBe(200);
    await expectUndone(moved);
  });

  test("N14 wins over a code for a new password that was asked for at the new address", async () => {
    const moved = await move();
    const { newEmail } = moved;
    const { challenge } = bodyOf(await sandbox.forgotPassword({ body: { email: newEmail } }));
    const { code } = await mailbox.receive();
    clock.advance(1);
    expect((await undo(moved)).statusCode).toBe(200);
    const body = { challenge, code, newPassword: `a thief's sentence ${randomUUID()}` };
    expectProblem(await sandbox.resetPassword({ body }), expired);
    await expectUndone(moved);
  });

  test("F10 a code that went to the address before sets no password, neither after the change nor after the undoing", async () => {
    const account = await service.addAccount();
    const { challenge } = bodyOf(await sandbox.forgotPassword({ body: { email: account.email } }));
    const code = await mailbox.receiveCode(account.email);
    clock.advance(1);
    const moved = await move({}, account);
    const body = { challenge, code, newPassword: `an old sentence ${randomUUID()}` };
    expectProblem(await sandbox.resetPassword({ body }), expired);
    expect((await undo(moved)).statusCode).toBe(200);
    expectProblem(await sandbox.resetPassword({ body }), expired);
    await expectUndone(moved);
  });

  test("N12 undoes no later change than that which its mail told of", async () => {
    const first = await move();
    clock.advance(weekSeconds);
    const { account, newEmail } = first;
    const second = await move({}, { ...account, email: newEmail });
    expectProblem(await undo(first), expired);
    expect((await undo(second)).statusCode).toBe(200);
    await expectUndone(second);
  });

  test.each(undoing.flat().map((name, done) => [done, name] as const))(
    "that broke off after %i requests, its process killed before %s, is finished by the same request",
    async (done) => {
      const moved = await move();
      wire.break("", (request) => request.deliver(), { times: done });
      wire.break("", loseRequest, { times: 99 });
      expectProblem(await undo(moved), refusals.unavailable);
      wire.mend();
      expect((await undo(moved)).statusCode).toBe(200);
      await expectUndone(moved);
    },
  );

  test.each([1, 3])("is done once although the answer to its write was lost %d times", async (times) => {
    const moved = await move();
    wire.break(transaction, loseAnswer, { times });
    expect((await undo(moved)).statusCode).toBe(200);
    expect(await userOf(moved.account)).toMatchObject({ sessionEpoch: 2 });
    await expectUndone(moved);
  });

  test("of two with two passwords at once one is done, and the other expired", async () => {
    const moved = await move();
    const other = { ...moved, newPassword: `${moved.newPassword} or not` };
    wire.break(transaction, gather(2), { times: 2 });
    const both = await Promise.all([undo(moved), undo(other)]);
    expect(both.map(({ statusCode }) => statusCode).toSorted()).toEqual([200, 400]);
    await expectUndone(both[0]?.statusCode === 200 ? moved : other);
  });

  test("is a 503 where the source cannot be counted", async () => {
    const moved = await move();
    const as = service.createSandbox({ LOGIN_LIMIT_PER_SOURCE_PER_MINUTE: "1" });
    wire.break("UpdateItem attempts", fail, { times: 3 });
    const { token, newPassword } = moved;
    expectProblem(await as.undoEmailChange({ body: { token, newPassword } }), refusals.unavailable);
  });
});
