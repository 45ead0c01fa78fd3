import { randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { expectProblem, refusals, tooManyAttempts } from "../support/answer.ts";
import { createAuthenticators } from "../support/authenticator.ts";
import { clock } from "../support/clock.ts";
import { gather } from "../support/faults.ts";
import { keepSecrets } from "../support/log.ts";
import { startMailbox } from "../support/mailbox.ts";
import { codeRefusals, type MailedCode, receiveCode } from "../support/mailed-code.ts";
import { pairOf } from "../support/pair.ts";
import { type Account, type Step, startService } from "../support/service.ts";

const service = await startService();
const { database, wire, expectRequests } = service;
const mailbox = await startMailbox(service);
const { sandbox } = mailbox;
const addFactor = createAuthenticators(service);
const newPassword = "another private sentence";
keepSecrets(newPassword);
const findUser = async ({ userId }: Account) => (await database.find("users", { userId })) ?? {};

/** An account with a second factor; its address is proven, if nothing else is said. */
async function createOwner({ emailVerifiedAt = 1 }: { emailVerifiedAt?: number | undefined } = {}) {
  const account = await service.addAccount();
  await database.change(
    "users",
    { userId: account.userId },
    { emailVerifiedAt: emailVerifiedAt || undefined },
  );
  return { account, ...(await addFactor(account)) };
}
const unproven = { emailVerifiedAt: 0 };

/** Rows of attempts that DynamoDB has not deleted yet. */
async function forgetRows() {
  for (const { id } of await database.scan("attempts"))
    await database.change("attempts", { id }, { expiresAt: 1 });
}

const withOtp = (otp?: string) => otp !== undefined && { otp };

describe("a sign-in by a mailed code", () => {
  const ask = ({ email }: Account) => receiveCode(mailbox, sandbox.askLoginCode({ body: { email } }));
  const logIn = ({ challenge, code }: MailedCode, otp?: string, key?: string) =>
    sandbox.confirmLoginCode({
      body: { challenge, code, ...withOtp(otp) },
      headers: key ? { "idempotency-key": key } : {},
    });
  const counted: Step[] = ["UpdateItem mails", "GetItem users", "UpdateItem attempts"];
  const usedAt = async ({ challenge }: MailedCode) =>
    (await database.find("mails", { id: challenge.split(".")[0] ?? "" }))?.usedAt;

  test("O25 asks for the second factor, and is not used up without it", async () => {
    const { account, codeAt } = await createOwner();
    const asked = await ask(account);
    const refused = await expectRequests([...counted, "UpdateItem mails"], () => logIn(asked));
    expectProblem(refused, refusals.secondFactorRequired);
    expectProblem(await logIn(asked, "000000"), refusals.invalidOtp);
    expect([await usedAt(asked), await database.sessionsOf(account.userId)]).toEqual([undefined, []]);
    const { claims } = pairOf(await logIn(asked, codeAt()));
    expect(claims).toMatchObject({ amr: ["otp", "mfa"], acr: "aal2" });
    expect(await usedAt(asked)).toBe(clock.now);
    expectProblem(await logIn(asked, codeAt(1)), codeRefusals.expired);
  });

  test("O01 is limited as a login is: the mailed code is right, and so many guesses are not let in", async () => {
    const { account, codeAt } = await createOwner();
    const asked = await ask(account);
    for (let i = 0; i < 5; i++) expectProblem(await logIn(asked, "000000"), refusals.invalidOtp);
    expectProblem(await logIn(asked, codeAt()), tooManyAttempts(30));
    const told = await mailbox.receive();
    expect([told.to, told.subject]).toEqual([[account.email], "Wrong codes for your account"]);
    clock.advance(30);
    expect((await logIn(asked, codeAt())).statusCode).toBe(200);
    expect(wire.names.at(-1)).toBe("DeleteItem attempts");
    const again = await ask(account);
    await logIn(again);
    await forgetRows();
    expect((await logIn(again, codeAt(1))).statusCode).toBe(200);
    expect(wire.names).toContain("PutItem attempts");
  });

  test("O02 O03 uses the code up: of two mailed codes at once with one of an app one gets in, and the other is good still", async () => {
    const { account, codeAt } = await createOwner();
    const both = [await ask(account), await ask(account)];
    wire.break("UpdateItem users", gather(2), { times: 2 });
    const responses = await Promise.all(both.map((asked) => logIn(asked, codeAt())));
    expect(responses.map(({ statusCode }) => statusCode).sort()).toEqual([200, 401]);
    const lost = both[responses.findIndex(({ statusCode }) => statusCode === 401)] as MailedCode;
    expect((await logIn(lost, codeAt(1))).statusCode).toBe(200);
  });

  test("a refused repeat with the key of the one that got in makes the mailed code good for nobody else", async () => {
    const { account, codeAt } = await createOwner();
    const asked = await ask(account);
    const key = randomUUID();
    const otp = codeAt();
    expect((await logIn(asked, otp, key)).statusCode).toBe(200);
    expect((await logIn(asked, otp, key)).statusCode).toBe(200);
    clock.advance(60);
    expectProblem(await logIn(asked, "000000", key), refusals.invalidOtp);
    expectProblem(await logIn(asked, codeAt()), codeRefusals.expired);
  });

  test("that is the first proof of the address takes nothing from whoever has both", async () => {
    const { account, codeAt } = await createOwner(unproven);
    const { passwordHash } = await findUser(account);
    const asked = await ask(account);
    expectProblem(await logIn(asked), refusals.secondFactorRequired);
    expect(await findUser(account)).not.toHaveProperty("emailVerifiedAt");
    expect((await logIn(asked, codeAt())).statusCode).toBe(200);
    expect(await findUser(account)).toMatchObject({
      ...{ passwordHash, emailVerifiedAt: clock.now, sessionEpoch: 0, totp: { step: expect.any(Number) } },
      lastChange: { event: "user_updated", by: "code" },
    });
  });
});

describe("a reset", () => {
  const ask = ({ email }: Account) => receiveCode(mailbox, sandbox.forgotPassword({ body: { email } }));
  const reset = ({ challenge, code }: MailedCode, otp?: string) =>
    sandbox.resetPassword({ body: { challenge, code, newPassword, ...withOtp(otp) } });
  const logIn = ({ email }: Account, otp?: string) =>
    sandbox.login({ body: { email, password: newPassword, ...withOtp(otp) } });

  test("F13 leaves the second factor as it is, asks for nothing of it, and does not forget who guesses at it", async () => {
    const { account, codeAt } = await createOwner();
    const { email, password } = account;
    for (let i = 0; i < 5; i++) await sandbox.login({ body: { email, password, otp: "000000" } });
    // Of that its owner is told.
    await mailbox.deliver();
    const asked = await ask(account);
    expect((await reset(asked)).statusCode).toBe(200);
    expectProblem(await logIn(account, codeAt()), tooManyAttempts(30));
    clock.advance(30);
    expectProblem(await logIn(account), refusals.secondFactorRequired);
    clock.advance(60);
    expect((await logIn(account, codeAt())).statusCode).toBe(200);
  });

  test("that is the first proof of the address asks for the second factor, and goes on without it once that is proven", async () => {
    const { account, codeAt } = await createOwner(unproven);
    const asked = await ask(account);
    const { passwordHash } = await findUser(account);
    expectProblem(await reset(asked), refusals.secondFactorRequired);
    expectProblem(await reset(asked, "000000"), refusals.invalidOtp);
    await forgetRows();
    expectProblem(await reset(asked, "000000"), refusals.invalidOtp);
    expect(wire.names).toContain("PutItem attempts");
    expect(await findUser(account)).toMatchObject({ passwordHash, sessionEpoch: 0 });
    expect((await reset(asked, codeAt())).statusCode).toBe(200);
    expect(await findUser(account)).toMatchObject({ sessionEpoch: 1, emailVerifiedAt: clock.now });
    expect((await findUser(account)).passwordHash).not.toBe(passwordHash);
    // The same request again, whose answer was lost.
    expect((await reset(asked, codeAt())).statusCode).toBe(200);
    expect((await logIn(account, codeAt(1))).statusCode).toBe(200);
  });

  test("by a code that was overtaken tells nobody whether there is a second factor", async () => {
    const { account } = await createOwner(unproven);
    const asked = await ask(account);
    await database.change("users", { userId: account.userId }, { passwordChangedAt: clock.now });
    expectProblem(await reset(asked), codeRefusals.expired);
  });
});

describe("the undoing of a change of address", () => {
  const weekSeconds = 604_800;

  /** The user after a thief, who knew the password and a code, had moved the account, and its owner undid that. */
  async function moveAndUndo({ confirmedAt, createdAt }: { confirmedAt: number; createdAt: number }) {
    const { account, codeAt } = await createOwner();
    const { userId, email, password } = account;
    const { totp, recovery } = await findUser(account);
    const times = { totp: { ...totp, confirmedAt }, recovery: { ...recovery, createdAt } };
    await database.change("users", { userId }, times);
    const { cookies } = pairOf(await sandbox.login({ body: { email, password, otp: codeAt() } }));
    const newEmail = `${randomUUID().slice(0, 13)}@example.org`;
    const asking = sandbox.askEmailChange({ cookies, body: { newEmail, password, otp: codeAt(1) } });
    const body = await receiveCode(mailbox, asking);
    // The session in whose place it comes was opened with two factors.
    const moved = pairOf(await sandbox.confirmEmailChange({ cookies, body }));
    expect(moved.claims).toMatchObject({ amr: ["pwd", "otp", "mfa"], acr: "aal2" });
    await service.feed("events");
    await mailbox.deliver();
    const isUndoing = ({ to, link }: { to: string[]; link: string }) =>
      to.includes(email) && /token=/.test(link);
    const [, token = ""] = mailbox.sent.findLast(isUndoing)?.link.split("token=") ?? [];
    expect((await sandbox.undoEmailChange({ body: { token, newPassword } })).statusCode).toBe(200);
    return findUser(account);
  }

  test.each([
    ["that had been there for seven days stays", 1, 1, ["totp", "recovery"]],
    ["of less than seven days goes", 0, 0, []],
    ["stays without recovery codes of less", 1, 0, ["totp"]],
    ["goes with older recovery codes", 0, 1, []],
  ])("a second factor %s", async (_, totp, codes, kept) => {
    const at = (isOlder: number) => clock.now - weekSeconds - isOlder;
    const user = await moveAndUndo({ confirmedAt: at(totp), createdAt: at(codes) });
    expect(["totp", "recovery"].filter((name) => name in user)).toEqual(kept);
  });
});
