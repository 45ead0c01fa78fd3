import { describe, expect, test } from "@jest/globals";
import { clock } from "../support/clock.ts";
import { keepSecrets } from "../support/log.ts";
import { startMailbox } from "../support/mailbox.ts";
import { createBrowser, loseAnswer, refuse, type Tab } from "./browser.ts";
import { browser, openSession, service } from "./setup.ts";

const mailbox = await startMailbox(service);
const origin = "https://abcdefghij.execute-api.eu-central-1.amazonaws.com";
const newPassword = "a new and longer sentence";
keepSecrets(newPassword);

/** Asks for a code for somebody who has an account, and gives what is mailed. */
async function forget({ account }: Tab, { email }: { email: string }) {
  const { codeBegins } = await account.askPasswordReset({ email });
  const mail = await mailbox.receive();
  expect(mail.code[0]).toBe(codeBegins);
  return { ...mail, fragment: new URL(mail.link).hash };
}

const reset = ({ account }: Tab, code: string) => account.confirmPasswordReset({ code, newPassword });
const forgot = "POST /auth/password/forgot 202";
const taken = "POST /auth/password/reset 200";

test("V05 L06 the link of the mail opens another tab of the browser that asked: no cookie, the code is there, the address bar is clean", async () => {
  const owner = await service.register();
  const { fragment, code } = await forget(await browser.openTab(), owner);
  browser.blockCookies();
  const tab = await browser.openTab({ fragment });
  expect(tab.history).toEqual([`${origin}/app?lang=en`]);
  const { kind = "", code: brought = "" } = tab.link ?? {};
  expect([kind, brought]).toEqual(["reset", code.replaceAll("-", "")]);
  expect(tab.account.isAskedHere(kind, brought)).toBe(true);
  await browser.idle();
  expect(browser.names).toEqual([forgot]);
  await reset(tab, brought);
  expect(browser.names).toEqual([forgot, taken]);
  expect(tab.account.isAskedHere(kind, brought)).toBe(false);
  await service.logIn({ account: { ...owner, password: newPassword } });
});

test("V05 V04 L04 in another browser the code is worth nothing, and nothing is sent; where it was asked for it is typed", async () => {
  const tab = await browser.openTab();
  const { fragment, code } = await forget(tab, await service.register());
  const other = createBrowser(service.sandbox);
  const opened = await other.openTab({ fragment });
  expect(opened.account.isAskedHere("reset", opened.link?.code ?? "")).toBe(false);
  await expect(reset(opened, code)).rejects.toMatchObject({ status: 400, code: "code_expired" });
  await expect(opened.account.confirmLogin({ code })).rejects.toMatchObject({ code: "code_expired" });
  expect(other.names).toEqual([]);
  await reset(tab, ` ${code.toLowerCase().replaceAll("-", " ")} `);
});

test("V12 the code of an earlier mail goes out with the challenge that it belongs to", async () => {
  const tab = await browser.openTab();
  const owner = await service.register();
  const first = await forget(tab, owner);
  await forget(tab, await service.register());
  await reset(tab, first.code);
  await service.logIn({ account: { ...owner, password: newPassword } });
});

test("a wrong code, and trouble, leave the challenge there; one that is used up is gone", async () => {
  const tab = await browser.openTab();
  const { code } = await forget(tab, await service.register());
  const wrong = code.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
  browser.break("POST /auth/password/reset", refuse(503));
  await expect(reset(tab, code)).rejects.toMatchObject({ status: 503 });
  for (let times = 1; times <= 5; times++)
    await expect(reset(tab, wrong)).rejects.toMatchObject({ code: "invalid_code" });
  expect(tab.account.isAskedHere("reset", code)).toBe(true);
  await expect(reset(tab, code)).rejects.toMatchObject({ code: "code_expired" });
  expect(tab.account.isAskedHere("reset", code)).toBe(false);
});

test("an answer that is lost: the same again is taken for the same", async () => {
  const tab = await browser.openTab();
  const { code } = await forget(tab, await service.register());
  browser.break("POST /auth/password/reset", loseAnswer);
  await expect(reset(tab, code)).rejects.toMatchObject({ code: "network_error" });
  await reset(tab, code);
});

test("who is logged in here as the same user is told that the session has ended", async () => {
  const owner = await service.register();
  const [tab] = await openSession({ as: owner });
  await reset(tab, (await forget(tab, owner)).code);
  clock.advance(1000);
  expect((await tab.auth.fetch("/movies")).status).toBe(401);
  expect(tab.ends).toEqual(["token_expired"]);
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
    await expect(reset(tab, code)).rejects.toMatchObject({ code: "invalid_code" });
    expect(browser.requests.flatMap(({ body }) => JSON.parse(body).challenge ?? [])).toEqual(challenges);
  });

  test("is there, and the code begins otherwise: it is told how", async () => {
    const tab = await browser.openTab();
    for (const codeBegins of ["K", "7", "K"]) await ask(tab, codeBegins);
    const refusal = { status: 400, code: "invalid_code", message: "The code begins with K or 7." };
    await expect(reset(tab, "W4M-XQ2-T9W")).rejects.toMatchObject(refusal);
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
