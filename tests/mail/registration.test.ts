import { randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { createMailId } from "../../lib/mail/codes.ts";
import { codeKinds } from "../../lib/mail/kinds.ts";
import { bodyOf, expectJson, expectProblem, invalidBody, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { fail, gather, loseAnswer, loseRequest } from "../support/faults.ts";
import { codeKeySettings, createHashKey, hashKeySettings } from "../support/keys.ts";
import { keepSecrets, log } from "../support/log.ts";
import { startMailbox } from "../support/mailbox.ts";
import { codeRefusals, type MailedCode, receiveCode, wrongCode } from "../support/mailed-code.ts";
import { pairOf } from "../support/pair.ts";
import { createPasskey } from "../support/passkey.ts";
import { expectHashes } from "../support/password-hashes.ts";
import { lookUp, startService } from "../support/service.ts";

// Who may register, and the two steps of a registration by mail. What every route does that asks for a code is in
// asking.test.ts.

const service = await startService();
const { database, wire } = service;
const mailbox = await startMailbox(service);
const { sandbox } = mailbox;
const someone = () => `${randomUUID().slice(0, 13)}@example.com`;
const prove = "UpdateItem mails";
const put = "TransactWriteItems users identities mails";
const taken = { status: 409, code: "email_taken", detail: "There is an account with this e-mail address." };

function newPassword(): string {
  const password = `a sentence of mine ${randomUUID()}`;
  keepSecrets(password);
  return password;
}

const ask = (email: string, as = sandbox): Promise<MailedCode> =>
  receiveCode(mailbox, as.askRegistration({ body: { email } }));
/** A code as it was asked for, and a password. */
const prepare = async (email = someone()) => ({ email, ...(await ask(email)), password: newPassword() });
const confirm = ({ challenge, code, password }: MailedCode & { password: string }, as = sandbox) =>
  as.confirmRegistration({ body: { challenge, code, password } });
const logIn = (email: string, password: string) => sandbox.login({ body: { email, password } });
const findUser = (userId: string) => database.find("users", { userId });
const findMail = ({ challenge }: MailedCode) => database.find("mails", { id: challenge.split(".")[0] ?? "" });

describe("who may register", () => {
  test("V17 where an address must be proven a password is refused, and told where it goes", async () => {
    const place = "belongs to POST /auth/register/confirm, beside the code that is mailed to the address";
    const body = { email: someone(), password: newPassword() };
    await service.expectRefusal(() => sandbox.askRegistration({ body }), invalidBody(["password", place]));
  });

  test.each([{ email: "ada@example.com" }, { email: "ada@example.com", password: "a long sentence" }, {}])(
    "V17 where registration is closed %j is refused",
    async (body) => {
      const detail = "Nobody can register here. Ask the operator for an invitation.";
      const refusal = { status: 403, code: "registration_closed", detail };
      await service.expectRefusal(() => sandbox.refuseRegistration({ body }), refusal);
    },
  );
});

test("the code makes an account whose address is proven, once, and opens no session", async () => {
  const asked = await prepare();
  const { newUserId: userId } = (await findMail(asked)) ?? {};
  const response = await service.expectRequests([prove, put], () => confirm(asked));
  expectJson(response, 201, { userId, email: asked.email });
  expect(response.cookies).toBeUndefined();
  expect(log.entries().at(-1)).toMatchObject({ event: "user_created", userId, kind: "register" });
  expect(await findUser(userId)).toMatchObject({
    ...{
      email: asked.email,
      emailVerifiedAt: clock.now,
      createdAt: clock.now,
      sessionEpoch: 0,
      sweptEpoch: 0,
    },
    lastChange: { event: "user_created", by: "user", at: clock.now, ip: "192.0.2.7" },
  });
  expect(await database.find("identities", { identity: `email:${asked.email}` })).toEqual({
    ...{ identity: `email:${asked.email}`, userId, createdAt: clock.now },
  });
  expect(await findMail(asked)).toMatchObject({ provedAt: clock.now, usedAt: clock.now });
  expect((await logIn(asked.email, asked.password)).statusCode).toBe(200);
});

test("there is no account before, and no password is hashed for whoever only asks", async () => {
  const email = someone();
  await expectHashes(0, () => sandbox.askRegistration({ body: { email } }));
  await mailbox.receive();
  expect(await database.find("identities", { identity: `email:${email}` })).toBeUndefined();
});

describe("an address that has an account", () => {
  test("V01 V02 answers the same, and its mail has no code: each guess is answered as it is of any other", async () => {
    const { email } = await service.addAccount();
    const known = bodyOf(await sandbox.askRegistration({ body: { email } }));
    const mail = await mailbox.receive();
    expect([mail.to, mail.code]).toEqual([[email], ""]);
    const free = bodyOf(await sandbox.askRegistration({ body: { email: someone() } }));
    await mailbox.receive();
    for (const { challenge, codeBegins } of [known, free]) {
      const guess = () => confirm({ challenge, code: `${codeBegins}0000-0000`, password: newPassword() });
      for (let i = 0; i < 5; i++)
        expectProblem(await service.expectRequests([prove], guess), codeRefusals.wrong);
      expectProblem(await guess(), codeRefusals.expired);
    }
  });

  test.each([
    ["since the code was asked for", {}],
    ["and is disabled", { disabledAt: clock.now }],
  ])("V01 %s: only whoever has the mailbox learns it", async (_, attributes) => {
    const asked = await prepare();
    const other = await sandbox.register({ body: { email: asked.email, password: newPassword() } });
    await database.change("users", { userId: bodyOf(other).userId }, attributes);
    expectProblem(await confirm({ ...asked, code: wrongCode(asked.code) }), codeRefusals.wrong);
    expectProblem(await service.expectRequests([prove, put, "GetItem users"], () => confirm(asked)), taken);
    expect(await findMail(asked)).not.toHaveProperty("usedAt");
  });

  test("V01 or that is reserved is taken", async () => {
    const asked = await prepare();
    const entry = { userId: randomUUID(), createdAt: clock.now, reservedUntil: clock.now + 60 };
    await database.put("identities", { identity: `email:${asked.email}`, ...entry });
    expectProblem(await confirm(asked), taken);
  });

  test("V11 two browsers have asked for it, and confirm at once: one account", async () => {
    const first = await prepare();
    const second = await prepare(first.email);
    wire.break(put, gather(2), { times: 2 });
    const responses = await Promise.all([confirm(first), confirm(second)]);
    expect(responses.map(({ statusCode }) => statusCode).sort()).toEqual([201, 409]);
    const won = responses[0].statusCode === 201 ? first : second;
    expect((await logIn(won.email, won.password)).statusCode).toBe(200);
  });
});

describe("the code", () => {
  test("V03 V04 alone does nothing: whoever opens the link elsewhere, or publishes it, has no challenge", async () => {
    const { email } = await prepare();
    const link = mailbox.sent.at(-1)?.link ?? "";
    expect(new URL(link).search).toBe("");
    const { kind, code = "" } = Object.fromEntries(new URLSearchParams(new URL(link).hash.slice(1)));
    expect([kind, Object.keys(Object.fromEntries(new URLSearchParams(new URL(link).hash.slice(1))))]).toEqual(
      ["register", ["kind", "code"]],
    );
    const before = await database.scan("mails");
    const body = { code, password: newPassword() };
    await service.expectRefusal(
      () => sandbox.confirmRegistration({ body }),
      invalidBody(["challenge", "is missing"]),
    );
    // Reading routes there are none.
    for (const method of ["GET", "HEAD"]) {
      const response = await sandbox.notFound({ method, path: "/auth/register/confirm" });
      expect(response.statusCode).toBe(405);
    }
    expect(await database.scan("mails")).toEqual(before);
    expect(await database.find("identities", { identity: `email:${email}` })).toBeUndefined();
  });

  test("V05 as the link has it needs no hyphens, and counts with the challenge of the browser that asked", async () => {
    const asked = await prepare();
    const code = /code=(\w+)/.exec(mailbox.sent.at(-1)?.link ?? "")?.[1] ?? "";
    expect((await confirm({ ...asked, code })).statusCode).toBe(201);
  });

  test("V06 is read as people type it", async () => {
    const asked = await prepare();
    const typed = asked.code.toLowerCase().replaceAll("-", " ").replaceAll("0", "o").replaceAll("1", "i");
    expect((await confirm({ ...asked, code: ` ${typed} ` })).statusCode).toBe(201);
  });

  const rule = "must be the nine letters and digits of a code";
  test.each([
    ["K4M-XQ2-T9", rule],
    ["K4M-XQ2-T9WX", rule],
    ["K4M-XQ2-T9U", rule],
    [7, "must be a string"],
    [null, "must be a string"],
  ])("V06 %j is none, and takes no try", async (code, fault) => {
    const { challenge, password } = await prepare();
    const body = { challenge, code, password };
    await service.expectRefusal(() => sandbox.confirmRegistration({ body }), invalidBody(["code", fault]));
  });

  test("V07 200 guesses at once, the right one among them: five wrong ones are looked at, and then there is no right one", async () => {
    const asked = await prepare();
    const guess = { ...asked, code: wrongCode(asked.code) };
    const responses = await Promise.all(Array.from({ length: 200 }, () => confirm(guess)));
    const codes = responses.map((response) => bodyOf(response).code);
    expect(codes.filter((code) => code === "invalid_code")).toHaveLength(5);
    expect(codes.filter((code) => code === "code_expired")).toHaveLength(195);
    expectProblem(await confirm(asked), codeRefusals.expired);
    expect((await findMail(asked))?.tries).toBe(5);
  });

  test("V08 five wrong ones, and another mail, and so on: at most 55 guesses a day at one address", async () => {
    const email = someone();
    const end = clock.now + 86_400;
    let guesses = 0;
    while (clock.now < end) {
      const response = await sandbox.askRegistration({ body: { email } });
      if (response.statusCode === 429) clock.advance(Number(response.headers["retry-after"]));
      else guesses += 5;
    }
    expect(guesses).toBeLessThanOrEqual(55);
    await mailbox.deliver();
  });

  test("V09 with an invented challenge costs nobody a try and us no request", async () => {
    const asked = await prepare();
    const [id, seal] = asked.challenge.split(".");
    for (const challenge of [
      `${id}.${"A".repeat(22)}`,
      `${createMailId({ kind: "register", email: "ada@example.com" })}.${seal}`,
      `${id}.`,
      "",
    ])
      await service.expectRefusal(() => confirm({ ...asked, challenge }), codeRefusals.expired);
    expect(await findMail(asked)).not.toHaveProperty("tries");
    expect((await confirm(asked)).statusCode).toBe(201);
  });

  test("V12 of the first of two mails counts with its own challenge, which its first character picks", async () => {
    const email = someone();
    const all: (MailedCode & { codeBegins: string })[] = [];
    // Two that begin alike are told apart by nothing.
    while (all.length < 2) {
      const { challenge, codeBegins } = bodyOf(await sandbox.askRegistration({ body: { email } }));
      const { code } = await mailbox.receive();
      if (!all.some((each) => each.codeBegins === codeBegins)) all.push({ challenge, codeBegins, code });
    }
    const [first] = all;
    const picked = all.find(({ codeBegins }) => first?.code.startsWith(codeBegins));
    const { challenge = "" } = picked ?? {};
    const response = await confirm({ challenge, code: first?.code ?? "", password: newPassword() });
    expect(response.statusCode).toBe(201);
  });

  test("V14 is still good where the password was too short, common, or held the address", async () => {
    const asked = await prepare();
    const common = invalidBody(["password", "is among the most common passwords; choose another one"]);
    const short = invalidBody(["password", "must have 15 to 256 characters"]);
    await service.expectRefusal(() => confirm({ ...asked, password: "short" }), short);
    await service.expectRefusal(() => confirm({ ...asked, password: "passwordpassword" }), common);
    const own = invalidBody(["password", "must not be or contain your e-mail address"]);
    expectProblem(await confirm({ ...asked, password: `mine is ${asked.email}` }), own);
    expect((await confirm(asked)).statusCode).toBe(201);
  });

  test("is over after an hour", async () => {
    const asked = await prepare();
    clock.advance(3_599);
    expectProblem(await confirm({ ...asked, code: wrongCode(asked.code) }), codeRefusals.wrong);
    clock.advance(1);
    expectProblem(await confirm(asked), codeRefusals.expired);
  });
});

const asking = {
  register: () => ask(someone()),
  async reset() {
    const { email } = await service.addAccount();
    return receiveCode(mailbox, sandbox.forgotPassword({ body: { email } }));
  },
  async login() {
    const { email } = await service.addAccount();
    return receiveCode(mailbox, sandbox.askLoginCode({ body: { email } }));
  },
};
const taking = {
  register: (code: MailedCode) => confirm({ ...code, password: newPassword() }),
  login: ({ challenge, code }: MailedCode) => sandbox.confirmLoginCode({ body: { challenge, code } }),
  reset: ({ challenge, code }: MailedCode) =>
    sandbox.resetPassword({ body: { challenge, code, newPassword: newPassword() } }),
};
const kinds = Object.keys(asking).filter((kind) => kind in codeKinds) as (keyof typeof asking)[];
const pairs = kinds.flatMap((asked) =>
  kinds.flatMap((used) => (asked === used ? [] : [[asked, used] as const])),
);

test.each(pairs)("V13 a code for %s is none for %s, and nobody asks the table", async (asked, used) => {
  const code = await asking[asked]();
  await service.expectRefusal(() => taking[used](code), codeRefusals.expired);
  expect((await taking[asked](code)).statusCode).toBeLessThan(300);
});

test("V15 of one source 20 mails an hour are put, whatever its address inside a /64", async () => {
  const limited = mailbox.createSandbox({
    MAIL_LIMIT_PER_SOURCE_PER_HOUR: "20",
    TRUSTED_PROXY_SECRET: secret,
  });
  clock.advance(3_600 - (clock.now % 3_600));
  const from = (address: string) =>
    limited.askRegistration({
      body: { email: someone() },
      headers: { "x-proxy-secret": secret, "cloudfront-viewer-address": address },
    });
  for (const source of ["198.51.100.7:1234", "[2001:db8:1:2::7]:1234"]) {
    for (let i = 0; i < 20; i++) expect((await from(source)).statusCode).toBe(202);
    expect((await from(source.replace("::7", "::8"))).statusCode).toBe(429);
  }
  const putHere = wire.names.filter((name) => name === "PutItem mails");
  expect(putHere).toHaveLength(40);
  await mailbox.deliver();
});
const secret = randomUUID();
keepSecrets(secret);

test("V16 a key that is replaced between ask, sending and confirmation still counts", async () => {
  const [old, next] = [createHashKey(), createHashKey({ activeFrom: clock.now + 1 })];
  const before = { ...hashKeySettings(old), ...codeKeySettings(old) };
  const after = { ...hashKeySettings(old, next), ...codeKeySettings(old, next) };
  const email = someone();
  const asked = bodyOf(await mailbox.createSandbox(before).askRegistration({ body: { email } }));
  clock.advance(2);
  const later = mailbox.createSandbox(after);
  const { code } = await mailbox.receive(later);
  expect((await confirm({ ...asked, code, password: newPassword() }, later)).statusCode).toBe(201);
});

describe("once, however often it is sent", () => {
  test.each([1, 3])("V10 the answer of DynamoDB is lost %d times", async (times) => {
    const asked = await prepare();
    wire.break(put, loseAnswer, { times });
    const { userId } = bodyOf(await confirm(asked));
    const user = await findUser(userId);
    const again = await service.expectRequests([prove, put, "GetItem users"], () => confirm(asked));
    expectJson(again, 201, { userId, email: asked.email });
    expect(await findUser(userId)).toEqual(user);
  });

  test("V10 with another password it makes no second account, and says nothing of the first", async () => {
    const asked = await prepare();
    expect((await confirm(asked)).statusCode).toBe(201);
    expectProblem(await confirm({ ...asked, password: newPassword() }), codeRefusals.expired);
    expect((await logIn(asked.email, asked.password)).statusCode).toBe(200);
  });

  test("V10 two with one code and two passwords at once: one account, and its own password opens it", async () => {
    const asked = await prepare();
    const other = { ...asked, password: newPassword() };
    wire.break(put, gather(2), { times: 2 });
    const responses = await Promise.all([confirm(asked), confirm(other)]);
    expect(responses.map(({ statusCode }) => statusCode).sort()).toEqual([201, 400]);
    const won = responses[0].statusCode === 201 ? asked : other;
    expect((await logIn(won.email, won.password)).statusCode).toBe(200);
  });

  test("V10 one whose outcome nobody knows is not taken for another with the same code", async () => {
    const asked = await prepare();
    const other = { ...asked, password: newPassword() };
    wire.break(put, async () => {
      expect((await confirm(other)).statusCode).toBe(201);
      wire.break(put, loseRequest, { times: 2 });
      return undefined;
    });
    expectProblem(await confirm(asked), refusals.unavailable);
    expectProblem(await confirm(asked), codeRefusals.expired);
    expect((await logIn(other.email, other.password)).statusCode).toBe(200);
  });

  test.each<[string, (userId: string) => Promise<unknown>]>([
    ["was deleted", (userId) => sandboxDelete(userId)],
    ["is disabled", (userId) => database.change("users", { userId }, { disabledAt: clock.now })],
    ["has another address", (userId) => database.change("users", { userId }, { email: someone() })],
  ])("makes no account again that %s", async (_, change) => {
    const asked = await prepare();
    const { userId } = bodyOf(await confirm(asked));
    await change(userId);
    const before = await database.scan("users");
    expectProblem(await confirm(asked), codeRefusals.expired);
    expect(await database.scan("users")).toEqual(before);
  });

  async function sandboxDelete(userId: string): Promise<void> {
    const { email } = (await findUser(userId)) ?? {};
    await database.delete("users", { userId });
    await database.delete("identities", { identity: `email:${email}` });
  }
});

test("nothing is written in part: where the transaction fails there is no account, and the code is good again", async () => {
  const asked = await prepare();
  wire.break(put, fail, { times: 3 });
  expectProblem(await confirm(asked), refusals.unavailable);
  expect(await findMail(asked)).not.toHaveProperty("usedAt");
  expect((await confirm(asked)).statusCode).toBe(201);
});

test("an entry of the address that no user names is no account: the code makes one over it", async () => {
  const { email, ...proof } = await prepare();
  await database.put("identities", {
    identity: `email:${email}`,
    userId: randomUUID(),
    createdAt: clock.now,
  });
  const response = await confirm(proof);
  expect(response.statusCode).toBe(201);
  expect((await database.find("identities", { identity: `email:${email}` }))?.userId).toBe(
    bodyOf(response).userId,
  );
});

describe("with a passkey in place of a password", () => {
  const rpId = String(service.environment.PASSKEY_RP_ID);
  const origin = `https://${rpId}`;
  const refused = invalidBody([
    "passkey",
    "was refused. Ask for a new challenge and make the passkey again.",
  ]);

  /** A code as it was asked for, and what the browser makes by the answer. */
  async function prepareMade() {
    const email = someone();
    const response = await sandbox.askRegistration({ body: { email } });
    const { passkey: options } = bodyOf(response);
    const asked = await receiveCode(mailbox, Promise.resolve(response));
    const userId = Buffer.from(options.user.id, "base64url").toString();
    const passkey = createPasskey({ userId, rpId, origin });
    return { ...asked, email, userId, options, passkey, made: passkey.create(options.challenge) };
  }
  const confirmBy = ({ challenge, code }: MailedCode, passkey: object, more = {}, as = sandbox) =>
    as.confirmRegistration({ body: { challenge, code, passkey, ...more } });
  async function signIn(passkey: ReturnType<typeof createPasskey>) {
    const { challenge } = bodyOf(await sandbox.beginPasskeyLogin());
    return sandbox.login({ body: { passkey: passkey.get(challenge) } });
  }

  test("P29 makes the account once, which the passkey opens and no password", async () => {
    const asked = await prepareMade();
    const { email, userId, options, passkey, made } = asked;
    expect(options).toMatchObject({
      ...{ rp: { id: rpId }, user: { name: email, displayName: email }, excludeCredentials: [] },
      ...{ authenticatorSelection: { userVerification: "required", residentKey: "required" } },
    });
    clock.advance(codeKinds.register - 1);
    const response = await service.expectRequests([prove, put], () => confirmBy(asked, made));
    expectJson(response, 201, { userId, email });
    expect(await findUser(userId)).toMatchObject({ email, emailVerifiedAt: clock.now });
    expect(await findUser(userId)).not.toHaveProperty("passwordHash");
    expectJson(await confirmBy(asked, made), 201, { userId, email });
    expectProblem(await confirmBy(asked, passkey.create("x")), refused);
    expectProblem(await confirm({ ...asked, password: newPassword() }), codeRefusals.expired);
    const { claims, cookies } = pairOf(await signIn(passkey));
    expect(claims).toMatchObject({ sub: userId, acr: "aal2" });
    const password = newPassword();
    await service.expectRefusal(() => logIn(email, password), refusals.loginFailed, lookUp);
    const { passkeys } = bodyOf(await sandbox.listPasskeys({ cookies }));
    const pathParameters = { passkeyId: passkeys[0].passkeyId };
    const kept = await sandbox.removePasskey({ cookies, pathParameters });
    expect([kept.statusCode, bodyOf(kept).code]).toEqual([409, "last_sign_in_method"]);
    // A reset sets the first password, and leaves the passkey: the address was proven before.
    const reset = await receiveCode(mailbox, sandbox.forgotPassword({ body: { email } }));
    const { challenge, code } = reset;
    await sandbox.resetPassword({ body: { challenge, code, newPassword: password } });
    expect((await logIn(email, password)).statusCode).toBe(200);
    clock.advance(1);
    expect((await signIn(passkey)).statusCode).toBe(200);
  });

  test("P30 made for somebody else, too late, by a wrong code or beside a password: refused, and the code still counts", async () => {
    const [asked, other] = [await prepareMade(), await prepareMade()];
    const { made, userId } = asked;
    expectProblem(await confirmBy(asked, other.made), refused);
    const pair = await service.logIn();
    const { challenge } = bodyOf(await sandbox.beginPasskey({ cookies: pair.cookies }));
    expectProblem(await confirmBy(asked, asked.passkey.create(challenge)), refused);
    expectProblem(await confirmBy({ ...asked, code: wrongCode(asked.code) }, made), codeRefusals.wrong);
    const password = newPassword();
    const beside = invalidBody(["passkey", "takes the place of the password"]);
    await service.expectRefusal(() => confirmBy(asked, made, { password }), beside);
    const neither = sandbox.confirmRegistration({ body: { challenge: asked.challenge, code: asked.code } });
    expectProblem(await neither, invalidBody(["password", "is missing"]));
    const off = mailbox.createSandbox({ PASSKEY_RP_ID: "" });
    expectProblem(await confirmBy(asked, made, {}, off), invalidBody(["passkey", "is not known"]));
    expect(bodyOf(await off.askRegistration({ body: { email: someone() } }))).not.toHaveProperty("passkey");
    expect(await findUser(userId)).toBeUndefined();
    expect((await confirmBy(asked, made)).statusCode).toBe(201);
  });
});
