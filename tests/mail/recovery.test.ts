import { randomUUID } from "node:crypto";
import { expect, test } from "@jest/globals";
import { expectJson, expectProblem, invalidBody, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { tableSettings } from "../support/declared.ts";
import { loseAnswer } from "../support/faults.ts";
import { keepSecrets } from "../support/log.ts";
import { startMailbox } from "../support/mailbox.ts";
import { codeRefusals } from "../support/mailed-code.ts";
import { run } from "../support/run.ts";
import { type Account, startService } from "../support/service.ts";

// An operator's `npm run users -- reset`, and what its mail is good for.

const service = await startService();
const { sandbox, database, wire, expectRequests, expectRefusal } = service;
const mailbox = await startMailbox(service);
const look = "GetItem mails";
const done = [
  look,
  "UpdateItem users",
  "Query sessions",
  "BatchWriteItem sessions",
  "UpdateItem users",
  "DeleteItem attempts",
];

const users = (...args: string[]) =>
  run("build/users/command.ts", args, { ...tableSettings, DYNAMODB_ENDPOINT: database.endpoint });
const logIn = ({ email, password }: Account) => sandbox.login({ body: { email, password } });

/** Has an operator begin the reset, and gives what the mail brings. */
async function begin(account: Account, ...args: string[]) {
  const { stdout } = await users("reset", account.email, ...args);
  const { link } = await mailbox.receive();
  const newPassword = `another sentence ${randomUUID()}`;
  keepSecrets(newPassword);
  clock.advance(60);
  return { stdout, link, token: /token=(\S+)/.exec(link)?.[1] ?? "", newPassword };
}

const reset = ({ token, newPassword }: { token: string; newPassword: string }) =>
  sandbox.resetPassword({ body: { token, newPassword } });

test("U15 mails a link that no operator sees; the old password holds until it is used, once", async () => {
  const account = await service.addAccount();
  const pair = await service.logIn({ account });
  const begun = await begin(account);
  expect(begun.link).toContain("#kind=recovery&token=");
  expect(begun.stdout).not.toContain(begun.token);
  expect(JSON.parse(begun.stdout)).toMatchObject({ email: account.email, oldPassword: "holds" });
  await service.rotate(pair);
  expect((await logIn(account)).statusCode).toBe(200);
  wire.break("UpdateItem users", loseAnswer);
  expectJson(await expectRequests([look, "UpdateItem users", ...done.slice(1)], () => reset(begun)), 200, {
    msg: "success",
  });
  expect(await database.sessionsOf(account.userId)).toEqual([]);
  expectProblem(await logIn(account), refusals.loginFailed);
  expect((await logIn({ ...account, password: begun.newPassword })).statusCode).toBe(200);
  clock.advance(601);
  await expectRefusal(() => reset({ ...begun, newPassword: `${begun.newPassword}!` }), codeRefusals.expired, [
    look,
    "UpdateItem users",
  ]);
});

test("U15 with --now the old password is over at once, and every session", async () => {
  const account = await service.addAccount();
  const pair = await service.logIn({ account });
  const unasked = await users("reset", account.email, "--now");
  expect([unasked.exitCode, unasked.stderr]).toEqual([1, expect.stringContaining("add --yes")]);
  const begun = await begin(account, "--now", "--yes");
  await service.expectOver([pair]);
  expectProblem(await logIn(account), refusals.loginFailed);
  expect((await reset(begun)).statusCode).toBe(200);
  expect(await database.find("users", { userId: account.userId })).toMatchObject({
    ...{ emailVerifiedAt: clock.now, lastChange: { by: "reset" } },
  });
});

test.each([[], ["--now", "--yes"]])(
  "of an account without a password there is no old one: %j",
  async (...args) => {
    const account = await service.addAccount();
    await database.change("users", { userId: account.userId }, { passwordHash: undefined });
    expect(JSON.parse((await begin(account, ...args)).stdout)).toMatchObject({ oldPassword: "none" });
  },
);

test.each([
  ["a day later", async () => clock.advance(86_400)],
  [
    "after a change of the password",
    async ({ userId }: Account) => database.change("users", { userId }, { passwordChangedAt: clock.now }),
  ],
  [
    "after the address has moved",
    async ({ userId }: Account) => database.change("users", { userId }, { email: "other@example.com" }),
  ],
])("is good for nothing %s", async (_, happen) => {
  const account = await service.addAccount();
  const begun = await begin(account);
  await happen(account);
  expectProblem(await reset(begun), codeRefusals.expired);
});

test("takes a token of its own kind alone, and nothing beside it", async () => {
  const account = await service.addAccount();
  const { token, newPassword } = await begin(account);
  await expectRefusal(() => reset({ token: `${token.slice(0, -1)}!`, newPassword }), codeRefusals.expired);
  await expectRefusal(
    () => sandbox.resetPassword({ body: { token, newPassword, code: "K4MXQ2T9W" } }),
    invalidBody(["code", "is not known"]),
  );
});

test("begins nothing for an account that is disabled, and says so", async () => {
  const { email } = await service.addAccount();
  await users("disable", email);
  const { exitCode, stderr } = await users("reset", email);
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining("is disabled")]);
});
