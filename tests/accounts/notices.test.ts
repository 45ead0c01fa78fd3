import { randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { bodyOf } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import type { Item } from "../support/database.ts";
import { createEvent } from "../support/event.ts";
import { fail, loseAnswer } from "../support/faults.ts";
import { createHashKey, hashKeySettings } from "../support/keys.ts";
import { keepSecrets, log } from "../support/log.ts";
import { startMailbox } from "../support/mailbox.ts";
import { pairOf } from "../support/pair.ts";
import { type Account, logInSteps, type Step, startService } from "../support/service.ts";
import { createTold } from "../support/told.ts";

// What the owner of an account is told of it by mail, without having asked.

const service = await startService();
const { sandbox, database, wire, feed, expectRequests } = service;
const { registerProven, mailsTo } = createTold(service);

const mailbox = await startMailbox(service);

/** A password that nobody has. */
function newSecret(): string {
  const text = `brand new ${randomUUID()}`;
  keepSecrets(text);
  return text;
}

const noticesTo = async (email: string) => (await mailsTo(email)).map(({ notice }) => notice);

describe("a login from a browser that the account does not know", () => {
  /** The notice is put beside the re-read. */
  const told: Step[] = [...logInSteps.slice(0, -1), ["PutItem mails", "GetItem users"]];
  const logIn = ({ email, password }: Account, device?: string, as = sandbox) =>
    as.login({ body: { email, password }, ...(device !== undefined && { cookies: [device] }) });
  const deviceOf = (cookies: string[] | undefined) => cookies?.at(1)?.split(";")[0] ?? "";

  test("Y01 is told once, with one request more in as many steps; the next one there is not", async () => {
    const account = await registerProven();
    const { cookies } = await expectRequests(told, () => logIn(account));
    const [mail, ...others] = await mailsTo(account.email);
    expect(mail).toEqual({
      ...{
        id: expect.stringMatching(/^[\w-]{22}$/),
        kind: "notice",
        notice: "newDevice",
        email: account.email,
      },
      ...{ language: "en", createdAt: clock.now, device: "unknown browser", ip: "192.0.2.7" },
      ...{ validUntil: clock.now + 2 * 86_400, expiresAt: clock.now + 7 * 86_400 },
    });
    const next = await expectRequests([...logInSteps, "DeleteItem sessions"], () =>
      logIn(account, deviceOf(cookies)),
    );
    expect(next.statusCode).toBe(200);
    expect([others, await noticesTo(account.email)]).toEqual([[], ["newDevice"]]);
  });

  test("is told anew when the mails to the address have been forgotten, though their row is still there", async () => {
    const account = await registerProven();
    for (const days of [0, 3]) {
      clock.advance(days * 86_400);
      await logIn(account);
      expect(await mailbox.deliver()).toBe(true);
      // Beside it goes out, in any order, what other tests have left.
      expect(mailbox.sent.flatMap(({ to }) => to)).toContain(account.email);
      mailbox.ses.forget();
    }
    expect(wire.names).toContain("PutItem attempts");
  });

  test("Y01 goes on where nobody can be told", async () => {
    const account = await registerProven();
    wire.break("PutItem mails", fail, { times: 3 });
    await service.rotate(pairOf(await logIn(account)));
    const line = log.entries().find(({ event }) => event === "authn_login_success");
    expect(line).toMatchObject({ level: "WARN", status: 200 });
    expect(await noticesTo(account.email)).toEqual([]);
  });

  test.each<[why: string, change: Item, overrides?: Record<string, string>]>([
    ["Y02 within an hour of its registration", { createdAt: 1 }],
    ["whose address is not proven", { emailVerifiedAt: undefined }],
    ["where the operator wants none", {}, { NEW_DEVICE_NOTICE: "off" }],
    ["where no mail is on", {}, { MAILS_TABLE: "" }],
  ])("is not told to an account %s", async (_, { createdAt, ...change }, overrides = {}) => {
    const account = await registerProven();
    const young = createdAt === undefined ? {} : { createdAt: clock.now - 3_599 };
    await database.change("users", { userId: account.userId }, { ...change, ...young });
    await expectRequests(logInSteps, () => logIn(account, undefined, service.createSandbox(overrides)));
    expect(await noticesTo(account.email)).toEqual([]);
  });

  test("Y03 is told of a bearer client, too, until it sends the device text that it got", async () => {
    const account = await registerProven();
    const headers = { "auth-mode": "bearer" };
    const { email, password } = account;
    const { device } = bodyOf(await sandbox.login({ body: { email, password }, headers }));
    expect(await noticesTo(email)).toEqual(["newDevice"]);
    await sandbox.login({ body: { email, password, device }, headers });
    expect(await noticesTo(email)).toEqual(["newDevice"]);
    await sandbox.login({ body: { email, password }, headers });
    expect(await noticesTo(email)).toEqual(["newDevice", "newDevice"]);
  });

  test.each<[what: string, count: number, spoil: (device: string, account: Account) => unknown]>([
    ["of another account", 1, async () => deviceOf((await logIn(await registerProven())).cookies)],
    ["that is forged", 1, (device) => device.replace(/.$/, (last) => (last === "A" ? "E" : "A"))],
    [
      "of before the end of all sessions",
      1,
      (_, { userId }) => database.change("users", { userId }, { sessionEpoch: 1, sweptEpoch: 1 }),
    ],
    ["that is older than 90 days", 1, () => clock.advance(91 * 86_400)],
    [
      "of before a change of address",
      0,
      async (_, account) => {
        const email = `${randomUUID()}@example.com`;
        const { userId } = account;
        await database.change("users", { userId }, { email });
        await database.put("identities", { identity: `email:${email}`, userId, createdAt: clock.now });
        account.email = email;
      },
    ],
  ])("Y04 with an entry %s is told %i times", async (_, count, spoil) => {
    const account = { ...(await registerProven()) };
    const { cookies } = await logIn(account);
    const device = deviceOf(cookies);
    const [before] = await mailsTo(account.email);
    const spoilt = await spoil(device, account);
    expect((await logIn(account, typeof spoilt === "string" ? spoilt : device)).statusCode).toBe(200);
    const mails = (await mailsTo(account.email)).filter(({ id }) => id !== before?.id);
    expect(mails).toHaveLength(count);
  });

  test("Y04 with an entry of before a change of the hash keys is not told", async () => {
    const account = await registerProven();
    const old = createHashKey({ activeFrom: clock.now - 100 });
    const next = createHashKey({ activeFrom: clock.now - 10 });
    const first = await logIn(account, undefined, service.createSandbox(hashKeySettings(old)));
    await logIn(account, deviceOf(first.cookies), service.createSandbox(hashKeySettings(old, next)));
    expect(await noticesTo(account.email)).toEqual(["newDevice"]);
  });

  test("Y06 says nothing of a User-Agent that no table knows", async () => {
    for (const userAgent of ["<b>Your bank</b>", "x".repeat(10_000), ""]) {
      const account = await registerProven();
      const { email, password } = account;
      const event = createEvent("login", { body: { email, password } });
      event.requestContext.http.userAgent = userAgent;
      await sandbox.invoke("login", event);
      expect(await mailsTo(email)).toMatchObject([{ notice: "newDevice", device: "unknown browser" }]);
    }
  });
});

describe("a change of an account", () => {
  const tell = () => feed("events");
  const changePassword = async (account: Account) => {
    const { cookies } = await service.logIn({ account });
    const newPassword = newSecret();
    const body = { currentPassword: account.password, newPassword };
    const { statusCode } = await sandbox.changePassword({ cookies, body });
    return { statusCode, account: { ...account, password: newPassword } };
  };
  /** What a route writes that changes who the account belongs to. */
  const change = (account: Account, by: string, event: string, attributes: Item = {}) =>
    database.change(
      "users",
      { userId: account.userId },
      {
        ...attributes,
        lastChange: { id: randomUUID(), event, by, at: clock.now, requestId: randomUUID(), ip: "192.0.2.9" },
      },
    );
  const changesTold = async (email: string) =>
    (await mailsTo(email)).filter(({ kind, notice }) => kind !== "reset" && notice !== "newDevice");

  test("Y05 of the password is told once, though the answer was lost and the SDK tried again", async () => {
    const account = await registerProven();
    wire.break("UpdateItem users", loseAnswer);
    expect((await changePassword(account)).statusCode).toBe(200);
    await tell();
    const { lastChange } = (await database.find("users", { userId: account.userId })) ?? {};
    expect(await changesTold(account.email)).toEqual([
      {
        ...{
          id: expect.stringMatching(/^[\w-]{22}$/),
          kind: "notice",
          notice: "passwordChanged",
          isUnlimited: true,
        },
        ...{ email: account.email, language: "en", device: "unknown browser", ip: "192.0.2.7" },
        ...{ createdAt: clock.now, changeId: lastChange.id },
        ...{ validUntil: clock.now + 2 * 86_400, expiresAt: clock.now + 7 * 86_400 },
      },
    ]);
  });

  test("Y05 by a reset is told as one; of several in an hour one counts in no limit", async () => {
    const { email, ...account } = await registerProven();
    /** By a code that was mailed, and a second later. */
    const reset = async () => {
      clock.advance(1);
      const { challenge } = bodyOf(await sandbox.forgotPassword({ body: { email } }));
      const code = await mailbox.receiveCode(email);
      const newPassword = newSecret();
      expect((await sandbox.resetPassword({ body: { challenge, code, newPassword } })).statusCode).toBe(200);
    };
    clock.advance(3_600 - (clock.now % 3_600));
    await changePassword({ email, ...account });
    await reset();
    await tell();
    clock.advance(3_600);
    await reset();
    await tell();
    const told = (await changesTold(email)).map((mail) => [mail.createdAt, mail.notice, mail.isUnlimited]);
    expect(told.sort()).toEqual([
      [clock.now - 3_602, "passwordChanged", true],
      [clock.now - 3_601, "passwordReset", undefined],
      [clock.now, "passwordReset", true],
    ]);
  });

  test("of the address is told to both: the one before can undo it, and sees the new one masked", async () => {
    const account = await registerProven();
    const { email, userId } = account;
    const moved = {
      email: `new-${email}`,
      previousEmail: email,
      movedBy: "B".repeat(22),
      undoUntil: clock.now + 600_000,
    };
    await change(account, "user", "user_updated", moved);
    await tell();
    const { lastChange } = (await database.find("users", { userId })) ?? {};
    const common = { language: "en", createdAt: clock.now, changeId: lastChange.id, ip: "192.0.2.9" };
    expect(await mailsTo(email)).toEqual([
      {
        ...{ ...common, id: expect.stringMatching(/^[\w-]{21}[AQgw]$/), kind: "undo", email, userId },
        ...{ maskedEmail: "n•••@e•••.com", movedBy: moved.movedBy },
        ...{ validUntil: moved.undoUntil, expiresAt: moved.undoUntil + 86_400 },
      },
    ]);
    expect(await mailsTo(moved.email)).toMatchObject([{ ...common, kind: "notice", notice: "emailChanged" }]);

    const restored = { email, previousEmail: undefined, movedBy: undefined, undoUntil: undefined };
    await change(account, "undo", "user_updated", restored);
    await tell();
    expect((await noticesTo(email)).filter(Boolean)).toEqual(["emailRestored"]);
    expect(await noticesTo(moved.email)).toEqual(expect.arrayContaining(["emailUndone", "emailChanged"]));
    // The last that this address is told: nobody can use up its notices to keep it from whoever reads it.
    expect(await mailsTo(moved.email)).toContainEqual(
      expect.objectContaining({ notice: "emailUndone", isUnlimited: true }),
    );
  });

  test("is told in the language of whoever registered, not of whoever changes it", async () => {
    const email = `${randomUUID()}@example.com`;
    const password = `correct horse ${randomUUID()}`;
    const headers = { "accept-language": "de-AT, en;q=0.5" };
    const { userId } = bodyOf(await sandbox.register({ body: { email, password }, headers }));
    await database.change("users", { userId }, { emailVerifiedAt: clock.now });
    await changePassword({ userId, email, password });
    await tell();
    expect(await mailsTo(email)).toMatchObject([{ language: "de" }]);
  });

  test("is told to no address that is not proven", async () => {
    const unproven = await service.addAccount();
    await changePassword(unproven);
    await tell();
    expect(await mailsTo(unproven.email)).toEqual([]);
  });
});
