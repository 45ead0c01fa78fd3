import { randomUUID } from "node:crypto";
import { marshall } from "@aws-sdk/util-dynamodb";
import { beforeEach, describe, expect, test } from "@jest/globals";
import { createMailId } from "../../lib/mail/codes.ts";
import { bodyOf } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import type { Item } from "../support/database.ts";
import { fail, hang, hold } from "../support/faults.ts";
import { log } from "../support/log.ts";
import { refuseMail, startMailbox } from "../support/mailbox.ts";
import { startService } from "../support/service.ts";

const service = await startService();
const { database, wire } = service;
const mailbox = await startMailbox(service);
const { ses } = mailbox;
beforeEach(async () => {
  // What the test before left in the stream, though it was being sent.
  clock.advance(61);
  await mailbox.deliver();
  for (const { forget } of [ses, wire]) forget();
  log.clear();
});
const someone = () => `${randomUUID().slice(0, 13)}@example.com`;

const forget = (email: string, headers = {}) => mailbox.sandbox.forgotPassword({ body: { email }, headers });
const findMail = (id: string) => database.find("mails", { id });
/** The id of the mail that an answer is about. */
const idOf = (response: { body?: string | undefined }): string =>
  JSON.parse(response.body ?? "").challenge.split(".")[0];

/** A mail that was put without anybody asking for it. */
async function put(mail: Item): Promise<string> {
  const id = createMailId({ kind: mail.kind, email: mail.email });
  const now = clock.now;
  const usual = { id, language: "en", createdAt: now, validUntil: now + 3_600, expiresAt: now + 604_800 };
  await database.put("mails", { ...usual, ...mail });
  return id;
}

/** Calls `mail` with a record as its stream has it. */
async function feed(...images: Item[]): Promise<unknown> {
  const Records = images.map((image, index) => ({
    eventName: "INSERT",
    dynamodb: {
      Keys: marshall({ id: image.id }),
      NewImage: marshall(image),
      SequenceNumber: `${100 + index}`,
    },
  }));
  return mailbox.sandbox.feed("mail", { Records });
}
const done = { batchItemFailures: [] };
const again = { batchItemFailures: [{ itemIdentifier: "100" }] };

describe("who gets which mail", () => {
  test("F16 whoever has an account gets a code at the address as it is stored, and the row says so", async () => {
    const { email, userId } = await service.addAccount();
    const id = idOf(await forget(` ${email.toUpperCase()}`));
    wire.forget();
    const mail = await mailbox.receive();
    expect(wire.names).toEqual([
      "GetItem identities",
      "GetItem users",
      "UpdateItem mails",
      "UpdateItem mails",
    ]);
    expect(mail).toMatchObject({ to: [email], subject: "Set a new password", replyTo: undefined });
    expect(mail.headers).toEqual({ "Auto-Submitted": "auto-generated" });
    expect(mail.code).toMatch(/^[0-9A-HJKMNP-TV-Z]{3}(-[0-9A-HJKMNP-TV-Z]{3}){2}$/);
    const { sentAt, messageId, userId: noted, failedAt } = (await findMail(id)) ?? {};
    expect([sentAt, noted, failedAt]).toEqual([clock.now, userId, undefined]);
    expect(messageId).toMatch(/^[\w-]{36}$/);
    expect(log.entries().at(-1)).toMatchObject({
      what: "mail",
      mailId: id.slice(0, 8),
      kind: "reset",
      outcome: "sent",
      MailSent: 1,
    });
  });

  test("both reads of an account are strongly consistent, and read nothing that opens it", async () => {
    const { email } = await service.addAccount();
    await forget(email);
    await mailbox.receive();
    const [entry, user] = wire.requests.filter(({ name }) => name.startsWith("GetItem"));
    for (const request of [entry, user]) expect(request?.parameters.ConsistentRead).toBe(true);
    expect(user?.parameters.ProjectionExpression).toBe("userId, email, disabledAt, deletingAt");
  });

  /** Makes an account what the case says, and gives its address. */
  const closed: [what: string, make: () => Promise<string>][] = [
    ["nobody", async () => someone()],
    ["a disabled account", async () => withUser({ disabledAt: clock.now })],
    ["an account that is being deleted", async () => withUser({ deletingAt: clock.now })],
    ["an account that has moved to another address", async () => withUser({ email: someone() })],
    ["an address that is reserved", async () => reserve()],
  ];

  async function withUser(attributes: Item): Promise<string> {
    const { email, userId } = await service.addAccount();
    await database.change("users", { userId }, attributes);
    return email;
  }

  async function reserve(): Promise<string> {
    const email = await withUser({ email: someone() });
    await database.change("identities", { identity: `email:${email}` }, { reservedUntil: clock.now + 9 });
    return email;
  }

  test.each(closed)("F01 nothing is sent to %s, though the same was answered", async (_, make) => {
    const response = await forget(await make());
    expect(response.statusCode).toBe(202);
    expect(await mailbox.deliver()).toBe(true);
    expect(mailbox.sent).toEqual([]);
    const mail = await findMail(idOf(response));
    expect(mail).toMatchObject({ failedAt: clock.now, failure: "none" });
    expect(mail).not.toHaveProperty("userId");
    expect(log.entries().at(-1)).toMatchObject({ level: "INFO", outcome: "not sent", failure: "none" });
  });

  const taken = async () => (await service.addAccount()).email;
  const own = async () => {
    const { email, userId } = await service.addAccount();
    return { email, userId };
  };
  test.each<
    [kind: string, of: string, find: () => Promise<string | Item>, subject: string, hasCode: boolean]
  >([
    ["register", "free", async () => someone(), "Confirm your e-mail address", true],
    ["register", "taken", taken, "You already have an account", false],
    ["register", "reserved", reserve, "You already have an account", false],
    ["register", "disabled", async () => withUser({ disabledAt: 1 }), "You already have an account", false],
    ["email", "free", async () => someone(), "Confirm your new e-mail address", true],
    ["email", "the account's own", own, "Confirm your new e-mail address", true],
    ["email", "taken", taken, "This e-mail address has an account already", false],
    ["email", "reserved", reserve, "This e-mail address has an account already", false],
    ["login", "taken", taken, "Sign in", true],
  ])("%s of an address that is %s: %3$s", async (kind, _of, find, subject, hasCode) => {
    const found = await find();
    const id = await put({
      kind,
      userId: "somebody",
      ...(typeof found === "string" ? { email: found } : found),
    });
    const mail = await mailbox.receive();
    expect([mail.subject, mail.code !== ""]).toEqual([subject, hasCode]);
    expect(mail.link).toMatch(hasCode ? new RegExp(`#kind=${kind}&code=`) : /#kind=forgot$|^$/);
    expect(await findMail(id)).toMatchObject({ sentAt: clock.now });
  });

  test.each([["undo", "Your e-mail address was changed"]])(
    "%s is a link with a token, whoever has the address",
    async (kind, subject) => {
      const id = await put({ kind, email: someone(), maskedEmail: "a•••@b•••.com" });
      wire.forget();
      const mail = await mailbox.receive();
      expect(wire.names).toEqual(["UpdateItem mails", "UpdateItem mails"]);
      expect(mail).toMatchObject({ subject, code: "" });
      expect(mail.link).toMatch(new RegExp(`#kind=${kind}&token=${id}\\.[\\w-]{22}$`));
    },
  );

  test("a notice tells what happened, in the language of whoever asked", async () => {
    await put({
      kind: "notice",
      notice: "passwordReset",
      email: someone(),
      language: "de",
      device: "Firefox on Linux",
    });
    const { subject, text } = await mailbox.receive();
    expect(subject).toBe("Ihr Passwort wurde geändert");
    expect(text).toContain("Firefox auf Linux");
  });
});

test("a mail to another address than its id was made for is not sent: its code would be that of the other", async () => {
  const email = someone();
  const id = createMailId({ kind: "reset", email });
  await put({ kind: "reset", email: someone(), id });
  expect(await mailbox.deliver()).toBe(true);
  expect(mailbox.sent).toEqual([]);
  expect(await findMail(id)).toMatchObject({ failure: "DamagedItem" });
});

describe("a notice counts among the notices to its address", () => {
  const noticeTo = (email: string, more: Item = {}) =>
    put({ kind: "notice", notice: "newDevice", email, ...more });

  test("over the limit it is not sent, and nobody is refused: codes are counted by themselves, and neither uses up the other's", async () => {
    const email = someone();
    const ids = [];
    for (let count = 0; count < 4; count++) ids.push(await noticeTo(email));
    expect(await mailbox.deliver()).toBe(true);
    expect(mailbox.sent).toHaveLength(3);
    const failures = await Promise.all(ids.map(async (id) => (await findMail(id))?.failure));
    expect(failures.filter(Boolean)).toEqual(["limit"]);
    expect(log.entries()).toContainEqual(
      expect.objectContaining({ level: "INFO", kind: "notice", outcome: "not sent", failure: "limit" }),
    );
    const other = someone();
    for (let count = 0; count < 3; count++) {
      expect((await forget(email)).statusCode).toBe(202);
      expect((await forget(other)).statusCode).toBe(202);
    }
    expect((await forget(other)).statusCode).toBe(429);
    await noticeTo(other);
    // Whoever is in the account cannot keep these from its owner.
    await noticeTo(email, { notice: "passwordChanged", isUnlimited: true });
    await put({ kind: "undo", email, maskedEmail: "a•••@b•••.com" });
    expect(await mailbox.deliver()).toBe(true);
    expect(mailbox.sent).toHaveLength(6);
  });

  test("one that SES does not take for the moment counts once, whatever comes between; one that cannot be counted comes again", async () => {
    const email = someone();
    const mails: Item[] = [];
    for (let count = 0; count < 2; count++) mails.push({ ...(await findMail(await noticeTo(email))) });
    wire.break("UpdateItem attempts", fail, { times: 3 });
    expect(await feed(...mails.slice(1))).toEqual(again);
    for (const mail of [...mails, ...mails]) {
      ses.break("SendEmail", refuseMail(503, "ServiceUnavailable"), { times: 3 });
      expect(await feed(mail)).toEqual(again);
    }
    ses.mend();
    await noticeTo(email);
    expect(await mailbox.deliver()).toBe(true);
    expect(mailbox.sent).toHaveLength(3);
  });
});

describe("M08 M12 what a mail is sent as", () => {
  test("the sender is called what the application is, in an encoded word, or as MAIL_FROM says", async () => {
    const APP_NAME = 'A <b>&"';
    const box = mailbox.createSandbox({ APP_NAME, MAIL_REPLY_TO: "help@example.com" });
    await put({ kind: "register", email: someone() });
    const mail = await mailbox.receive(box);
    expect(mail.from).toBe(`=?UTF-8?B?${Buffer.from(APP_NAME).toString("base64")}?= <auth@example.com>`);
    expect(mail.text).toContain(`at ${APP_NAME}`);
    expect(mail.replyTo).toEqual(["help@example.com"]);
    const named = mailbox.createSandbox({ APP_NAME, MAIL_FROM: "Example <auth@example.com>" });
    await put({ kind: "register", email: someone() });
    expect((await mailbox.receive(named)).from).toBe("Example <auth@example.com>");
  });

  test("links begin with MAIL_LINK, whatever host was asked", async () => {
    const MAIL_LINK = "https://app.example.com/account?from=mail";
    const settings = { MAIL_LINK, ALLOWED_ORIGINS: "https://app.example.com,https://other.example" };
    const box = mailbox.createSandbox(settings);
    const { email } = await service.addAccount();
    const headers = {
      host: "evil.example",
      "x-forwarded-host": "evil.example",
      forwarded: "host=evil.example",
    };
    await box.forgotPassword({
      body: { email },
      headers: { ...headers, origin: "https://other.example" },
    });
    const { link, text, html } = await mailbox.receive(box);
    expect(link.startsWith(`${MAIL_LINK}#kind=reset&code=`)).toBe(true);
    expect(text + html).not.toMatch(/evil|other\.example/);
    expect(text).toContain("app.example.com");
  });
});

describe("each mail once, and none lost", () => {
  const register = async () => ({ ...(await findMail(await put({ kind: "register", email: someone() }))) });

  test("M01 a record that comes twice is one mail", async () => {
    const mail = await register();
    expect([await feed(mail), await feed(mail)]).toEqual([done, done]);
    expect(mailbox.sent).toHaveLength(1);
    expect(log.entries().map(({ outcome }) => outcome)).toEqual(["sent", "done before"]);
  });

  test("M01 the same record at once is one mail: the second comes again, and is done then", async () => {
    const mail = await register();
    const held = hold("answer");
    ses.break("SendEmail", held.fault);
    const first = feed(mail);
    await held.arrived;
    expect(await feed(mail)).toEqual(again);
    await held.release();
    expect([await first, await feed(mail)]).toEqual([done, done]);
    expect(mailbox.sent).toHaveLength(1);
  });

  test("M02 where it was not noted that a mail was sent it is sent again after a minute, with the same code", async () => {
    const mail = await register();
    await feed(mail);
    await database.change("mails", { id: mail.id }, { sentAt: undefined, messageId: undefined });
    clock.advance(60);
    expect(await feed(mail)).toEqual(again);
    clock.advance(1);
    expect(await feed(mail)).toEqual(done);
    const [one, other] = mailbox.sent;
    expect(other).toEqual(one);
  });

  test("a mail that was sent is not sent again because that cannot be noted", async () => {
    const mail = await register();
    wire.break("UpdateItem mails", (request) => request.deliver());
    wire.break("UpdateItem mails", fail, { times: 3 });
    expect(await feed(mail)).toEqual(done);
    expect(mailbox.sent).toHaveLength(1);
    expect(log.entries().at(-1)).toMatchObject({
      level: "WARN",
      outcome: "sent",
      errors: [{ name: "AppError" }, {}],
    });
  });

  test("M03 what SES throttles comes again at once; the others are sent once", async () => {
    const late = someone();
    for (let i = 0; i < 10; i++) await put({ kind: "register", email: i === 4 ? late : someone() });
    let left = 3;
    const throttled = refuseMail(429, "TooManyRequestsException");
    ses.break(
      "SendEmail",
      async (request) =>
        request.parameters.Destination.ToAddresses[0] === late && left-- > 0
          ? throttled()
          : request.deliver(),
      { times: 99 },
    );
    expect(await mailbox.deliver()).toBe(false);
    expect(mailbox.sent).toHaveLength(9);
    expect(await mailbox.deliver()).toBe(true);
    expect(new Set(mailbox.sent.map(({ to: [address] }) => address)).size).toBe(10);
    expect(mailbox.sent).toHaveLength(10);
  });

  test("M04 M06 a mail that SES refuses, one of no kind, and one that is damaged hold up no other", async () => {
    const { email } = await service.addAccount();
    const response = await forget(email);
    expect(response.statusCode).toBe(202);
    const ids = [
      idOf(response),
      await put({ kind: "postcard", email: someone() }),
      await put({ kind: "register" }),
    ];
    for (let i = 0; i < 7; i++) await put({ kind: "register", email: someone() });
    ses.break(
      "SendEmail",
      async (request) =>
        request.parameters.Destination.ToAddresses[0] === email
          ? refuseMail(400, "MessageRejected", `Email address is not verified: ${email}`)()
          : request.deliver(),
      { times: 99 },
    );
    expect(await mailbox.deliver()).toBe(true);
    expect(mailbox.sent).toHaveLength(7);
    const mails = await Promise.all(ids.map(findMail));
    expect(mails.map((mail) => [mail?.failedAt, mail?.failure])).toEqual(
      ["MessageRejected", "DamagedItem", "DamagedItem"].map((failure) => [clock.now, failure]),
    );
    const failed = log.entries().filter(({ outcome }) => outcome === "failed");
    expect(failed.map(({ level, MailFailed }) => [level, MailFailed])).toEqual(Array(3).fill(["ERROR", 1]));
    expect(JSON.stringify(log.entries())).not.toContain(email);
    expect(await mailbox.deliver()).toBe(true);
  });

  test.each([
    [400, "BadRequestException"],
    [404, "NotFoundException"],
    [400, "AccountSuspendedException"],
    [400, "MailFromDomainNotVerifiedException"],
    [403, "AccessDeniedException"],
    [400, "SomethingNewException"],
  ])("M04 %d %s is not tried again", async (status, type) => {
    ses.break("SendEmail", refuseMail(status, type), { times: 99 });
    const mail = await register();
    expect(await feed(mail)).toEqual(done);
    expect(await findMail(mail.id)).toMatchObject({ failure: type });
  });

  test.each([
    [400, "LimitExceededException"],
    [400, "SendingPausedException"],
    [500, "InternalFailure"],
    [503, "ServiceUnavailable"],
  ])("M03 %d %s is tried again", async (status, type) => {
    ses.break("SendEmail", refuseMail(status, type), { times: 3 });
    const mail = await register();
    expect(await feed(mail)).toEqual(again);
    expect(await findMail(mail.id)).not.toHaveProperty("sendingAt");
    ses.mend();
    expect(await feed(mail)).toEqual(done);
    expect(mailbox.sent).toHaveLength(1);
  });

  test("an SES that does not answer is asked again", async () => {
    ses.break("SendEmail", hang);
    expect(await feed(await register())).toEqual(done);
    expect(ses.requests.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  test.each(["GetItem identities", "GetItem users", "UpdateItem mails"])(
    "while %s fails the record comes again, and nothing is sent before",
    async (request) => {
      const { email } = await service.addAccount();
      await forget(email);
      wire.break(request, fail, { times: 3 });
      expect(await mailbox.deliver()).toBe(false);
      expect(mailbox.sent).toEqual([]);
      await mailbox.receive();
    },
  );

  test("M05 SES is away for two hours: codes are too late then, notices are sent", async () => {
    const { email } = await service.addAccount();
    const id = idOf(await forget(email));
    const notice = await put({
      kind: "notice",
      notice: "passwordChanged",
      email,
      validUntil: clock.now + 86_400,
    });
    await ses.stop();
    expect(await mailbox.deliver()).toBe(false);
    clock.advance(7_200);
    await ses.reopen();
    expect(await mailbox.deliver()).toBe(true);
    expect(mailbox.sent.map(({ subject }) => subject)).toEqual(["Your password was changed"]);
    expect(await findMail(id)).toMatchObject({ failure: "late" });
    expect(await findMail(notice)).toMatchObject({ sentAt: clock.now });
  });
});

test("M09 nothing in a table or a subject opens anything; tests/support/log.ts looks into the log", async () => {
  const { email } = await service.addAccount();
  const { challenge } = bodyOf(await forget(email));
  const { code, link, subject } = await mailbox.receive();
  await put({ kind: "undo", email });
  const { link: undo } = await mailbox.receive();
  const tables = ["mails", "attempts", "users", "identities", "sessions"];
  const text = JSON.stringify(await Promise.all(tables.map((table) => database.scan(table)))) + subject;
  expect(text).toContain(challenge.split(".")[0]);
  const secrets = [code, code.replaceAll("-", ""), challenge, link, undo, undo.split("token=")[1]];
  for (const secret of secrets) {
    expect(secret?.length).toBeGreaterThan(8);
    expect(text).not.toContain(secret);
  }
  expect(text).not.toContain(challenge.split(".")[1]);
});
