import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "@jest/globals";
import { bodyOf, expectJson, expectProblem, invalidBody, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { tableSettings } from "../support/declared.ts";
import { fail, gather, loseAnswer } from "../support/faults.ts";
import { createInvite } from "../support/invite.ts";
import { keepSecrets, log } from "../support/log.ts";
import { startMailbox } from "../support/mailbox.ts";
import { codeRefusals } from "../support/mailed-code.ts";
import { pairOf } from "../support/pair.ts";
import { expectHashes } from "../support/password-hashes.ts";
import { run } from "../support/run.ts";
import { startService } from "../support/service.ts";

// An operator's `npm run users -- invite`, and what becomes of the mail.

const service = await startService();
const { sandbox, database, wire, expectRequests, expectRefusal } = service;
const mailbox = await startMailbox(service);
const find = "GetItem mails";
const put = "TransactWriteItems users identities mails";
const weekSeconds = 604_800;
const taken = { status: 409, code: "email_taken", detail: "There is an account with this e-mail address." };
const someone = () => `${randomUUID().slice(0, 13)}@example.com`;

function newPassword(): string {
  const password = `a sentence of mine ${randomUUID()}`;
  keepSecrets(password);
  return password;
}

const users = (args: string[], env: Record<string, string> = {}) =>
  run("build/users/command.ts", args, { ...tableSettings, DYNAMODB_ENDPOINT: database.endpoint, ...env });

const sendInvitation = createInvite(service);

/** Has an operator invite somebody, and gives what the mail brings. */
async function invite(email = someone()) {
  const mailId = await sendInvitation(email);
  const { link } = await mailbox.receive();
  return { email, mailId, token: /token=(\S+)/.exec(link)?.[1] ?? "", password: newPassword() };
}

const accept = ({ token, password }: { token: string; password: string }) =>
  sandbox.acceptInvitation({ body: { token, password } });
const findMail = (id: string) => database.find("mails", { id });
/** The id of the mail that brought a link. */
const idOf = (link: string): string => /#kind=invitation&token=([\w-]{22})\.[\w-]{22}$/.exec(link)?.[1] ?? "";
const logIn = (email: string, password: string) => sandbox.login({ body: { email, password } });

async function deleteAccount({ email, password }: { email: string; password: string }): Promise<void> {
  const { cookies } = await service.logIn({ account: { userId: "", email, password } });
  expect((await sandbox.deleteAccount({ cookies, body: { password } })).statusCode).toBe(204);
}

describe("npm run users -- invite", () => {
  test("mails a link to whom it names, in the language that it names, and notes who did it", async () => {
    const email = someone();
    const { stdout, exitCode } = await users(["invite", ` ${email.toUpperCase()}`, "--language", "de"]);
    const { mailId, ...told } = JSON.parse(stdout);
    const validUntil = clock.now + weekSeconds;
    expect([exitCode, told]).toEqual([
      0,
      { invited: email, validUntil: new Date(validUntil * 1_000).toISOString() },
    ]);
    const mail = await mailbox.receive();
    expect(mail).toMatchObject({ to: [email], subject: "Sie sind eingeladen", code: "" });
    expect(mail.text).toContain("7 Tage");
    expect(await findMail(idOf(mail.link))).toMatchObject({
      ...{ kind: "invitation", email, language: "de", validUntil, createdAt: clock.now },
      invitedBy: expect.stringMatching(/ on this machine$/),
    });
    const listed = JSON.parse((await users(["mails", email])).stdout);
    expect(listed.mailId).toBe(mailId);
  });

  test("of a stage is done with the caller's AWS credentials, and notes the ARN", async () => {
    const Arn = "arn:aws:sts::123456789012:assumed-role/operator/ada";
    const sts = createServer((_, response) =>
      response.end(
        `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>${Arn}</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`,
      ),
    ).listen(0, "127.0.0.1");
    await once(sts, "listening");
    await users(["invite", someone(), "--stage", "prod", "--region", "eu-central-1"], {
      ...{ DYNAMODB_ENDPOINT: "http://127.0.0.1:1", AWS_ENDPOINT_URL_DYNAMODB: database.endpoint },
      AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${(sts.address() as AddressInfo).port}`,
      ...{ AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" },
    });
    sts.close();
    const { link } = await mailbox.receive();
    expect(await findMail(idOf(link))).toMatchObject({ invitedBy: `operator ${Arn}` });
  });

  test("refuses a command line that is wrong, says so, and how it is used", async () => {
    const { exitCode, stdout, stderr } = await users(["invite"]);
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^Name one e-mail address\.\nHelp: npm run users -- --help\n$/);
  });

  test("U06 says that npm start is not running, or that the stage has no mail", async () => {
    const down = await users(["invite", someone()], { DYNAMODB_ENDPOINT: "", DYNAMODB_PORT: "1" });
    expect([down.exitCode, down.stderr]).toEqual([
      1,
      expect.stringMatching(/is not running. Next: npm start/),
    ]);
    const bare = await users(["invite", someone()], { MAILS_TABLE: "none" });
    expect([bare.exitCode, bare.stderr]).toEqual([1, expect.stringMatching(/has no table none.*MAIL_FROM/)]);
    expect(await users(["--help"])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("invite") });
  });

  test("U08 invites nobody who has an account", async () => {
    const { email } = await service.addAccount();
    const { exitCode, stderr } = await users(["invite", email]);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(`${email} has an account already`)]);
    expect(await mailbox.deliver()).toBe(true);
    expect(mailbox.sent).toEqual([]);
  });
});

describe("npm run users -- uninvite", () => {
  const uninvite = async (email: string) => {
    const { stdout, exitCode } = await users(["uninvite", email]);
    return [exitCode, JSON.parse(stdout)];
  };

  test("U08 lets no link that was mailed to an address open an account; one that is mailed after it does", async () => {
    const first = await invite();
    const others = await invite();
    clock.advance(1);
    const second = await invite(first.email);
    clock.advance(1);
    const { email } = first;
    expect(await uninvite(email.toUpperCase())).toEqual([0, { uninvited: email, wasInvited: true }]);
    for (const each of [first, second]) expectProblem(await accept(each), codeRefusals.expired);
    expect((await accept(others)).statusCode).toBe(201);
    clock.advance(1);
    const third = await invite(email);
    expectProblem(await accept(first), codeRefusals.expired);
    expect((await accept(third)).statusCode).toBe(201);
  });

  test("U08 may be said again, and of whom nobody has invited; who has come in keeps the account", async () => {
    const invited = await invite();
    expect((await accept(invited)).statusCode).toBe(201);
    for (const email of [invited.email, invited.email, someone()])
      expect(await uninvite(email)).toEqual([0, { uninvited: email, wasInvited: false }]);
    expect((await logIn(invited.email, invited.password)).statusCode).toBe(200);
  });

  test("U08 in the middle of an acceptance that has found its mail: no account", async () => {
    const invited = await invite();
    const withdrawn: unknown[] = [];
    wire.break(put, async (request) => {
      withdrawn.push(...(await uninvite(invited.email)));
      return request.deliver();
    });
    expectProblem(await accept(invited), codeRefusals.expired);
    expect(withdrawn).toEqual([0, { uninvited: invited.email, wasInvited: true }]);
    expect(await database.find("identities", { identity: `email:${invited.email}` })).toBeUndefined();
  });

  test("U06 leaves a row with the operator's name, and no address in it", async () => {
    const { email } = await invite();
    await uninvite(email);
    const [row = ""] = (await users(["audit", "uninvite"])).stdout.split("\n");
    const { at, requestId: _, ...told } = JSON.parse(row);
    expect(told).toEqual({
      event: "invitations_withdrawn",
      by: expect.stringMatching(/^operator .* on this machine$/),
    });
    expect(at).toBe(new Date(clock.now * 1_000).toISOString());
  });
});

describe("POST /auth/invitations/accept", () => {
  test("makes the account of the address that was invited, which is proven, and opens no session", async () => {
    const invited = await invite();
    const { newUserId: userId } = (await findMail(invited.mailId)) ?? {};
    const response = await expectRequests([find, put], () => accept(invited));
    expectJson(response, 201, { userId, email: invited.email });
    expect(response.cookies).toBeUndefined();
    expect(log.entries().at(-1)).toMatchObject({ event: "user_created", by: "invitation", userId });
    expect(await database.find("users", { userId })).toMatchObject({
      ...{ email: invited.email, emailVerifiedAt: clock.now, createdAt: clock.now },
      lastChange: { event: "user_created", by: "invitation", at: clock.now },
    });
    expect(await findMail(invited.mailId)).toMatchObject({ usedAt: clock.now });
    expect(await database.find("identities", { identity: `invited:${invited.email}` })).toBeUndefined();
    expect((await logIn(invited.email, invited.password)).statusCode).toBe(200);
  });

  test("gives the account the roles of the invitation", async () => {
    const email = someone();
    await users(["invite", email, "--roles", "editor,acme:admin"]);
    const { link } = await mailbox.receive();
    const invited = { email, token: /token=(\S+)/.exec(link)?.[1] ?? "", password: newPassword() };
    expect((await accept(invited)).statusCode).toBe(201);
    const { claims } = pairOf(await logIn(email, invited.password));
    expect(claims.roles).toEqual(["editor", "acme:admin"]);
  });

  test.each([
    ["email", "eve@example.com"],
    ["roles", ["admin"]],
  ])("U07 takes no %s from the body", async (name, value) => {
    const { token, password } = await invite();
    const body = { token, password, [name]: value };
    await expectRefusal(() => sandbox.acceptInvitation({ body }), invalidBody([name, "is not known"]));
  });

  test("U07 accepted twice at once, with two passwords: one account", async () => {
    const invited = await invite();
    const other = { ...invited, password: newPassword() };
    wire.break(put, gather(2), { times: 2 });
    const responses = await Promise.all([accept(invited), accept(other)]);
    expect(responses.map(({ statusCode }) => statusCode).sort()).toEqual([201, 400]);
    const won = responses[0].statusCode === 201 ? invited : other;
    expect((await logIn(won.email, won.password)).statusCode).toBe(200);
  });

  test("the same request may come again, and says the same; with another password it says nothing", async () => {
    const invited = await invite();
    wire.break(put, loseAnswer, { times: 3 });
    const { userId } = bodyOf(await accept(invited));
    expectJson(await accept(invited), 201, { userId, email: invited.email });
    expectProblem(await accept({ ...invited, password: newPassword() }), codeRefusals.expired);
  });

  test("nothing is written in part", async () => {
    const invited = await invite();
    wire.break(put, fail, { times: 3 });
    expectProblem(await accept(invited), refusals.unavailable);
    expect((await accept(invited)).statusCode).toBe(201);
  });

  test("U08 an address that has got an account meanwhile is taken, and the account is as it was", async () => {
    const invited = await invite();
    const { userId } = bodyOf(
      await sandbox.register({ body: { email: invited.email, password: newPassword() } }),
    );
    const user = await database.find("users", { userId });
    expectProblem(await accept(invited), taken);
    expect(await database.find("users", { userId })).toEqual(user);
    expect(await findMail(invited.mailId)).not.toHaveProperty("usedAt");
  });

  test("of two invitations either makes the account, and the other one finds it", async () => {
    const first = await invite();
    clock.advance(10);
    const second = await invite(first.email);
    expect((await accept(first)).statusCode).toBe(201);
    expectProblem(await accept(second), taken);
  });

  test("an account that is deleted takes with it the invitations that are open, and none that follows", async () => {
    const first = await invite();
    const second = await invite(first.email);
    expect((await accept(first)).statusCode).toBe(201);
    await deleteAccount(first);
    for (const each of [first, second]) expectProblem(await accept(each), codeRefusals.expired);
    clock.advance(1);
    const third = await invite(first.email);
    expectProblem(await accept(second), codeRefusals.expired);
    expect((await accept(third)).statusCode).toBe(201);
  });

  test("so does one that was made without them, if its address was proven: any other may be a stranger's", async () => {
    for (const emailVerifiedAt of [1, undefined]) {
      const invited = await invite();
      const body = { email: invited.email, password: newPassword() };
      const { userId } = bodyOf(await sandbox.register({ body }));
      await database.change("users", { userId }, { emailVerifiedAt });
      await deleteAccount(body);
      const response = await accept(invited);
      expect(response.statusCode).toBe(emailVerifiedAt ? 400 : 201);
    }
  });

  test("one that was used tells nothing of the account's password: not of the next one, and not ten minutes later", async () => {
    const invited = await invite();
    expect((await accept(invited)).statusCode).toBe(201);
    clock.advance(599);
    expect((await accept(invited)).statusCode).toBe(201);
    clock.advance(1);
    expectProblem(await expectHashes(0, () => accept(invited)), codeRefusals.expired);

    const other = await invite();
    const { userId } = bodyOf(await accept(other));
    await database.change("users", { userId }, { passwordChangedAt: clock.now });
    expectProblem(await expectHashes(1, () => accept(other)), codeRefusals.expired);
  });

  test("an entry of the address that no user names is no account: the invitation makes one over it", async () => {
    const invited = await invite();
    const identity = `email:${invited.email}`;
    await database.put("identities", { identity, userId: randomUUID(), createdAt: clock.now });
    const response = await accept(invited);
    expect(response.statusCode).toBe(201);
    expect((await database.find("identities", { identity }))?.userId).toBe(bodyOf(response).userId);
  });

  test("one that somebody has written another address into opens no account there", async () => {
    const invited = await invite();
    await database.change("mails", { id: invited.mailId }, { email: someone() });
    expectProblem(await accept(invited), codeRefusals.expired);
  });

  test("a week later it is over; a second before it is not", async () => {
    const [early, late] = [await invite(), await invite()];
    clock.advance(weekSeconds - 1);
    expect((await accept(early)).statusCode).toBe(201);
    clock.advance(1);
    expectProblem(await expectRequests([find], () => accept(late)), codeRefusals.expired);
  });

  test("a token that we did not make costs no request", async () => {
    const { token, password } = await invite();
    const [id = "", mac = ""] = token.split(".");
    const forged = `${id}.${mac.startsWith("A") ? "B" : "A"}${mac.slice(1)}`;
    for (const each of [forged, `${id}.`, mac, "", "a".repeat(5_000)])
      await expectRefusal(() => accept({ token: each, password }), codeRefusals.expired);
  });

  test.each([
    ["common", "123456789012345"],
    ["the address", ""],
  ])("a password that is %s leaves the invitation good", async (_, given) => {
    const invited = await invite();
    const response = await accept({ ...invited, password: given || `${invited.email} and ever` });
    expect([response.statusCode, bodyOf(response).code]).toEqual([400, "invalid_body"]);
    expect((await accept(invited)).statusCode).toBe(201);
  });
});
