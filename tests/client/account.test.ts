import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test } from "@jest/globals";
import type { Asked, CodeKind } from "../../client/account.ts";
import { clock } from "../support/clock.ts";
import { createInvite } from "../support/invite.ts";
import { keepSecrets } from "../support/log.ts";
import { startMailbox } from "../support/mailbox.ts";
import { wrongCode } from "../support/mailed-code.ts";
import type { Account } from "../support/service.ts";
import { createBrowser, loseAnswer, refuse, type Tab } from "./browser.ts";
import { browser, createStore, expectSignedIn, openSession, type SessionOptions, service } from "./setup.ts";

const mailbox = await startMailbox(service);
const origin = "https://abcdefghij.execute-api.eu-central-1.amazonaws.com";
const newPassword = "a new and longer sentence";
keepSecrets(newPassword);

/** The API where all of it can be done by mail. */
const api = mailbox.createSandbox({ REGISTRATION: "verified" });
const someone = () => `${randomUUID().slice(0, 13)}@example.com`;

beforeEach(() => browser.moveTo(api));

/** What is done with a mailed code: how it is asked for and confirmed, and what is sent then. */
interface Flow {
  ask(tab: Tab, owner: Account): Promise<Asked>;
  confirm(tab: Tab, code: string): Promise<unknown>;
  sent: string[];
}

const flows: Record<CodeKind, Flow> = {
  register: {
    ask: ({ account }) => account.askRegistration({ email: someone() }),
    confirm: ({ account }, code) => account.confirmRegistration({ code, password: newPassword }),
    sent: ["POST /auth/register/confirm 201", "POST /auth/login 200", "GET /auth/me 200"],
  },
  reset: {
    ask: ({ account }, { email }) => account.askPasswordReset({ email }),
    confirm: ({ account }, code) => account.confirmPasswordReset({ code, newPassword }),
    sent: ["POST /auth/password/reset 200"],
  },
  login: {
    ask: ({ account }, { email }) => account.askLogin({ email }),
    confirm: ({ account }, code) => account.confirmLogin({ code }),
    sent: ["POST /auth/login/code/confirm 200", "GET /auth/me 200"],
  },
  email: {
    ask: ({ account }, { password }) => account.askEmailChange({ newEmail: someone(), password }),
    confirm: ({ account }, code) => account.confirmEmailChange({ code }),
    sent: ["GET /auth/me 200", "POST /auth/email/confirm 200"],
  },
};
const kinds = Object.keys(flows) as CodeKind[];

/** A tab where somebody has asked for a code, and what was mailed. Who changes an address has to be logged in. */
async function begin(kind: CodeKind, options: SessionOptions = {}) {
  const owner = await service.register();
  const [tab] =
    kind === "email" ? await openSession({ as: owner, ...options }) : [await browser.openTab(options)];
  const { codeBegins, expiresIn } = await flows[kind].ask(tab, owner);
  const { to, code, link } = await mailbox.receive();
  expect(code[0]).toBe(codeBegins);
  browser.forget();
  return { owner, tab, to: to.join(), code, expiresIn, fragment: new URL(link).hash };
}

describe.each(kinds)("a code of kind %s", (kind) => {
  const { confirm, sent } = flows[kind];
  const [route = ""] = /POST \S+/.exec(sent.join()) ?? [];

  test("V05 L06 in a link that opens another tab of the browser that asked: the address bar is clean, and nothing is sent before it is confirmed", async () => {
    const { code, fragment } = await begin(kind);
    const tab = await browser.openTab({ fragment });
    expect(tab.history).toEqual([`${origin}/app?lang=en`]);
    const brought = code.replaceAll("-", "");
    expect(tab.link).toEqual({ kind, code: brought });
    expect(tab.account.isAskedHere(kind, brought)).toBe(true);
    await browser.idle();
    expect(browser.names).toEqual([]);
    await confirm(tab, brought);
    expect(browser.names).toEqual(sent);
    expect(tab.account.isAskedHere(kind, brought)).toBe(false);
  });

  test("V05 V04 L04 in another browser is worth nothing, and nothing is sent; where it was asked for it is typed", async () => {
    const { tab, code, fragment } = await begin(kind);
    const other = createBrowser(api);
    const opened = await other.openTab({ fragment });
    expect(opened.account.isAskedHere(kind, opened.link?.code ?? "")).toBe(false);
    for (const each of kinds)
      await expect(flows[each].confirm(opened, code)).rejects.toMatchObject({ code: "code_expired" });
    expect(other.names).toEqual([]);
    await confirm(tab, ` ${code.toLowerCase().replaceAll("-", " ")} `);
    expect(browser.names).toEqual(sent);
  });

  test("V07 that is wrong, and trouble, leave the challenge there; after five wrong ones it is gone", async () => {
    async function mistype({ tab, code }: { tab: Tab; code: string }, times: number): Promise<void> {
      const refusal = { status: 400, code: "invalid_code" };
      for (let done = 0; done < times; done++)
        await expect(confirm(tab, wrongCode(code))).rejects.toMatchObject(refusal);
    }
    const lucky = await begin(kind);
    await mistype(lucky, 4);
    browser.break(route, refuse(503, { "retry-after": "60" }));
    await expect(confirm(lucky.tab, lucky.code)).rejects.toMatchObject({ status: 503 });
    await confirm(lucky.tab, lucky.code);
    const unlucky = await begin(kind);
    await mistype(unlucky, 5);
    const { tab, code } = unlucky;
    expect(tab.account.isAskedHere(kind, code)).toBe(true);
    await expect(confirm(tab, code)).rejects.toMatchObject({ status: 400, code: "code_expired" });
    expect(tab.account.isAskedHere(kind, code)).toBe(false);
  });

  test("that is too old is refused here, or by the API where the clock of the device was set back", async () => {
    const { tab, code, expiresIn } = await begin(kind);
    clock.advance(expiresIn);
    const expired = { status: 400, code: "code_expired" };
    await expect(confirm(tab, code)).rejects.toMatchObject(expired);
    expect(browser.names).toEqual([]);
    browser.setClock(-60);
    expect(tab.account.isAskedHere(kind, code)).toBe(true);
    await expect(confirm(tab, code)).rejects.toMatchObject(expired);
    expect(browser.names.at(-1)).toBe(`${route} 400`);
    expect(tab.account.isAskedHere(kind, code)).toBe(false);
  });
});

test.each(["register", "reset", "login"] as const)(
  "V10 a code of kind %s whose answer was lost: the same again is taken for the same",
  async (kind) => {
    const { tab, code } = await begin(kind);
    browser.break("POST", loseAnswer);
    await expect(flows[kind].confirm(tab, code)).rejects.toMatchObject({ code: "network_error" });
    await flows[kind].confirm(tab, code);
  },
);

test("L02 a bearer client, which keeps no key without a token pair, asks for another code where the answer to a login was lost", async () => {
  const { tab, code } = await begin("login", { tokens: createStore() });
  browser.break("POST", loseAnswer);
  await expect(tab.account.confirmLogin({ code })).rejects.toMatchObject({ code: "network_error" });
  await expect(tab.account.confirmLogin({ code })).rejects.toMatchObject({ code: "code_expired" });
});

test("V12 the code of an earlier mail goes out with the challenge that it belongs to", async () => {
  const first = await begin("reset");
  await flows.reset.ask(first.tab, await service.register());
  await mailbox.receive();
  await flows.reset.confirm(first.tab, first.code);
  await service.logIn({ account: { ...first.owner, password: newPassword } });
});

test("who sets a new password, and is logged in here as the same user, is told that the session has ended", async () => {
  const owner = await service.register();
  const [tab] = await openSession({ as: owner });
  await flows.reset.ask(tab, owner);
  await flows.reset.confirm(tab, (await mailbox.receive()).code);
  clock.advance(1000);
  expect((await tab.auth.fetch("/movies")).status).toBe(401);
  expect(tab.ends).toEqual(["token_expired"]);
});

describe("registration", () => {
  test("makes the account and logs in: a password that is refused, and a login that fails, can be tried again", async () => {
    const { tab, to, code } = await begin("register");
    const { account, auth } = tab;
    const common = account.confirmRegistration({ code, password: "passwordpassword" });
    await expect(common).rejects.toMatchObject({ errors: [{ pointer: "#/password" }] });
    browser.break("POST /auth/login", refuse(503));
    await expect(flows.register.confirm(tab, code)).rejects.toMatchObject({ status: 503 });
    const { userId, email } = await account.confirmRegistration({ code, password: newPassword });
    expect(email).toBe(to);
    expect(await auth.me()).toMatchObject({ sub: userId, email });
  });

  test("V02 of an address that has an account is answered the same, and its mail leads to a new password", async () => {
    const { email } = await service.register();
    const { account } = await browser.openTab();
    const { codeBegins } = await account.askRegistration({ email });
    const { code, link } = await mailbox.receive();
    expect(code).toBe("");
    expect((await browser.openTab({ fragment: new URL(link).hash })).link).toEqual({ kind: "forgot" });
    const guess = account.confirmRegistration({ code: `${codeBegins}0000-0000`, password: newPassword });
    await expect(guess).rejects.toMatchObject({ code: "invalid_code" });
  });

  test("V17 where the operator makes the accounts is refused", async () => {
    browser.moveTo(mailbox.createSandbox({ REGISTRATION: "closed" }));
    const { account } = await browser.openTab();
    const refusal = { status: 403, code: "registration_closed" };
    await expect(account.askRegistration({ email: someone() })).rejects.toMatchObject(refusal);
  });
});

describe.each<[who: string, createOptions: () => SessionOptions]>([
  ["a browser", () => ({})],
  ["a bearer client", () => ({ tokens: createStore() })],
])("%s", (_who, createOptions) => {
  test("logs in with a code, and keeps the session", async () => {
    const { tab, code, owner } = await begin("login", createOptions());
    await tab.account.confirmLogin({ code });
    const [{ keyed, sessionKeyHash } = {}] = await service.database.sessionsOf(owner.userId);
    expect([keyed, typeof sessionKeyHash]).toEqual([true, "string"]);
    await expectSignedIn(tab);
    clock.advance(1000);
    await expectSignedIn(tab);
  });

  test("N03 changes the address, however old the access token is, and goes on in a new session; every other one ends", async () => {
    const options = createOptions();
    const { tab, code, owner, to } = await begin("email", { ...options, age: 1000 });
    const [elsewhere] = await openSession({ in: createBrowser(api), as: owner });
    const second = await browser.openTab(options);
    clock.advance(1000);
    expect(await tab.account.confirmEmailChange({ code })).toMatchObject({ email: to });
    expect(await tab.auth.me()).toMatchObject({ email: to });
    clock.advance(1000);
    await expectSignedIn(tab, second);
    expect((await elsewhere.auth.fetch("/movies")).status).toBe(401);
    expect(elsewhere.ends).toEqual(["token_expired"]);
  });

  test("proves its own address, and every session goes on", async () => {
    const owner = await service.register();
    const [tab] = await openSession({ ...createOptions(), as: owner });
    const [elsewhere] = await openSession({ in: createBrowser(api), as: owner });
    const { email, password, userId } = owner;
    await tab.account.askEmailChange({ newEmail: email, password });
    await tab.account.confirmEmailChange({ code: (await mailbox.receive()).code });
    expect(await service.database.find("users", { userId })).toMatchObject({ emailVerifiedAt: clock.now });
    for (const age of [0, 1000, 1000]) {
      clock.advance(age);
      await expectSignedIn(tab, elsewhere);
    }
  });

  test("whose answer to a change of address was lost says so: the user logs in with the new address", async () => {
    const { tab, code, owner, to } = await begin("email", createOptions());
    browser.break("POST /auth/email/confirm", loseAnswer);
    const changing = browser.patiently(tab.account.confirmEmailChange({ code }));
    await expect(changing).rejects.toMatchObject({ status: 401, code: "email_changed" });
    expect(tab.ends).toEqual(["email_changed"]);
    await tab.auth.login({ email: to, password: owner.password });
    expect(await tab.auth.me()).toMatchObject({ email: to });
  });
});

describe("a change of address", () => {
  test("N01 is not begun with a wrong password, and the session goes on", async () => {
    const [tab] = await openSession();
    const asking = tab.account.askEmailChange({ newEmail: someone(), password: "not the right password" });
    await expect(asking).rejects.toMatchObject({ status: 401, code: "invalid_credentials" });
    expect(browser.names).toEqual(["POST /auth/email 401"]);
    await expectSignedIn(tab);
  });

  test("N04 that another session of the user has asked for is worth nothing, and is asked for anew", async () => {
    const { tab, code, owner } = await begin("email");
    const { email, password } = owner;
    await tab.auth.logout();
    const nobody = tab.account.confirmEmailChange({ code });
    await expect(nobody).rejects.toMatchObject({ status: 401, code: "missing_credentials" });
    await tab.auth.login({ email, password });
    await expect(tab.account.confirmEmailChange({ code })).rejects.toMatchObject({ code: "code_expired" });
    expect(tab.account.isAskedHere("email", code)).toBe(false);
  });

  test("N11 N12 N13 is undone by the link in the mail to the address before, in any browser, with a new password", async () => {
    const { tab: thief, code, owner } = await begin("email");
    await service.database.change("users", { userId: owner.userId }, { emailVerifiedAt: 1 });
    await thief.account.confirmEmailChange({ code });
    await service.feed("events");
    await mailbox.deliver();
    const { link = "" } = mailbox.sent.find(({ to }) => to[0] === owner.email) ?? {};
    const other = createBrowser(api);
    const tab = await other.openTab({ fragment: new URL(link).hash });
    expect([tab.link, tab.history]).toEqual([
      { kind: "undo", token: expect.stringMatching(/^[\w-]{22}\.[\w-]{22}$/) },
      [`${origin}/app?lang=en`],
    ]);
    await other.idle();
    expect(other.names).toEqual([]);
    const token = tab.link?.token ?? "";
    const undo = (proof: object) => tab.account.undoEmailChange({ token, newPassword, ...proof });
    const expired = { status: 400, code: "code_expired" };
    await expect(undo({ token: token.slice(1) })).rejects.toMatchObject(expired);
    other.break("POST /auth/email/undo", loseAnswer);
    await expect(undo({})).rejects.toMatchObject({ code: "network_error" });
    await undo({});
    await expect(undo({ newPassword: `${newPassword} or not` })).rejects.toMatchObject(expired);
    await tab.auth.login({ email: owner.email, password: newPassword });
    clock.advance(1000);
    expect((await thief.auth.fetch("/movies")).status).toBe(401);
    expect(thief.ends).toEqual(["token_expired"]);
  });
});

test("U07 an invitation makes the account, logs in, and is not taken twice", async () => {
  const email = someone();
  await createInvite(service)(email);
  const { link } = await mailbox.receive();
  const tab = await browser.openTab({ fragment: new URL(link).hash });
  expect(tab.link).toEqual({ kind: "invitation", token: expect.stringMatching(/^[\w-]{22}\.[\w-]{22}$/) });
  const token = tab.link?.token ?? "";
  const accept = (password: string) => tab.account.acceptInvitation({ token, password });
  await expect(accept("short")).rejects.toMatchObject({ status: 400, code: "invalid_body" });
  expect(await accept(newPassword)).toMatchObject({ email });
  await expectSignedIn(tab);
  await expect(accept(`${newPassword} or not`)).rejects.toMatchObject({ code: "code_expired" });
});

test("a bearer client that proves the account's own address keeps its token pair", async () => {
  const owner = await service.register();
  const { email, password } = owner;
  const tokens = createStore();
  const [tab] = await openSession({ as: owner, tokens });
  await tab.account.askEmailChange({ newEmail: email, password });
  const { code } = await mailbox.receive();
  clock.advance(60);
  await tab.auth.refresh();
  const before = await tokens.load();
  expect(await tab.account.confirmEmailChange({ code })).toMatchObject({ email });
  expect(await tokens.load()).toEqual(before);
  await expectSignedIn(tab);
});

/** With which character a code begins is chance: these answers are the test's. */
async function ask({ account }: Tab, codeBegins: string, challenge = codeBegins): Promise<void> {
  const answer = { challenge, codeBegins, expiresIn: 3600 };
  browser.break("POST /auth/password/forgot", refuse(202, {}, answer));
  const asked = await account.askPasswordReset({ email: "ada@example.com" });
  expect(asked).toEqual({ codeBegins, expiresIn: 3600 });
}

describe("the challenge", () => {
  const isKept = ({ account }: Tab) => account.isAskedHere("reset", "K4M-XQ2-T9W");

  test.each([
    ["of the code that begins so, as people type it", ["1", "0", "W"], " l4m–xq2–t9w", ["a"]],
    ["of the code that begins so, in other letters", ["1", "0", "W"], "Ｏ4MXQ2T9W", ["b"]],
    ["of each code that begins so, the newest first", ["K", "W", "K"], "k4mxq2t9w", ["c", "a"]],
    ["of the last three codes", ["K", "W", "7", "8"], "K4MXQ2T9W", []],
  ])("%s is sent: %j, %j", async (_which, begins, code, challenges) => {
    const tab = await browser.openTab();
    for (const [index, codeBegins] of begins.entries()) await ask(tab, codeBegins, "abcd"[index]);
    browser.break("POST /auth/password/reset", refuse(400, {}, { code: "invalid_code" }), { times: 9 });
    await expect(flows.reset.confirm(tab, code)).rejects.toMatchObject({ code: "invalid_code" });
    expect(browser.requests.flatMap(({ body }) => JSON.parse(body).challenge ?? [])).toEqual(challenges);
  });

  test("is there, and the code begins otherwise: it is told how", async () => {
    const tab = await browser.openTab();
    for (const codeBegins of ["K", "7", "K"]) await ask(tab, codeBegins);
    const refusal = { status: 400, code: "invalid_code", message: "The code begins with K or 7." };
    await expect(flows.reset.confirm(tab, "W4M-XQ2-T9W")).rejects.toMatchObject(refusal);
  });

  test("is for one thing only, and as long as the code is good", async () => {
    const tab = await browser.openTab();
    await ask(tab, "K");
    expect(tab.account.isAskedHere("login", "K4M-XQ2-T9W")).toBe(false);
    clock.advance(3599);
    expect(isKept(tab)).toBe(true);
    clock.advance(1);
    expect(isKept(tab)).toBe(false);
  });

  test.each<[string, Parameters<typeof browser.openTab>[0], boolean]>([
    ["where all tabs see it", {}, true],
    ["in the page, where there is no localStorage", { without: ["localStorage"] }, false],
    ["in the client, where the token pair is not", { tokens: { load: () => null, save: () => {} } }, false],
  ])("is kept %s", async (_where, options, isShared) => {
    const tab = await browser.openTab(options);
    await ask(tab, "K");
    expect(isKept(tab)).toBe(true);
    expect(isKept(await browser.openTab(options))).toBe(isShared);
  });

  test.each(["{", "null", "[null]", "5", '"text"'])("is none where the storage holds %j", async (text) => {
    const tab = await browser.openTab();
    await ask(tab, "K");
    browser.spoil(text);
    expect(isKept(tab)).toBe(false);
    await ask(tab, "K");
    expect(isKept(tab)).toBe(true);
  });
});

test.each([
  ["", undefined],
  ["#", undefined],
  ["#/settings?kind=reset", undefined],
  ["#kind=undo&token=a.b", { kind: "undo", token: "a.b" }],
  ["#kind=forgot", { kind: "forgot" }],
])("a page that was opened with %j has the link %j; another fragment stays", async (fragment, link) => {
  const tab = await browser.openTab({ fragment });
  expect(tab.link).toEqual(link);
  expect(tab.history).toEqual([`${origin}/app?lang=en${link ? "" : fragment}`]);
});
