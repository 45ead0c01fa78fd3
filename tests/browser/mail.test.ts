import { expect, test } from "@jest/globals";
import type { Page } from "playwright-core";
import { click, createAccount, enter, focused, openPage, says, startSite } from "./support/site.ts";

const site = await startSite();
const form = (page: Page) => page.locator("#reset");
const codeField = (page: Page) => form(page).getByLabel("Code from the mail");

/** Registers somebody, who logs out, and asks for a code. */
async function forget(page: Page) {
  const account = createAccount();
  await enter(page, "register", account);
  await click(page, "Log out");
  await page.locator("#login").getByLabel("E-mail address").fill(account.email);
  await click(page, "Forgotten the password?");
  await page.locator("#forgot").getByRole("button").click();
  await page.getByText(`Look into the mail of ${account.email}`).waitFor();
  return { account, ...(await site.mailTo(account, "reset")) };
}

/** Types a new password, sends the form, and logs in. */
async function reset(page: Page, { email }: { email: string }): Promise<void> {
  const { password } = createAccount();
  await form(page).getByLabel("New password").fill(password);
  await click(page, "Set it");
  await says(page, "The password is set, and all sessions have ended.");
  expect(await focused(page)).toBe("login-heading");
  await enter(page, "login", { email, password });
}

/** Whether there is a session, the client asks by itself. */
const isOwn = (request: string) => request.includes("/auth/refresh");

/** Opens a link, and notes what the page asks for. */
async function follow(page: Page, url: string): Promise<string[]> {
  const requests: string[] = [];
  page.on("request", (request) => {
    requests.push(`${request.method()} ${request.url()} ${request.headers().referer || "-"}`);
  });
  await page.goto(url);
  await page.locator("#signed-out").waitFor();
  return requests;
}

test("F17 V05 a mail that is opened in the browser that asked: the code is filled in, and gone from the address; a password, and logged in", async () => {
  const page = await site.open();
  const { account, url, code } = await forget(page);
  const tab = await page.context().newPage();
  const requests = await follow(tab, url);
  expect(tab.url()).toBe(`${site.url}/`);
  expect(await tab.evaluate("history.length")).toBe(2); // about:blank, and this page
  expect(await codeField(tab).inputValue()).toBe(code);
  expect(await focused(tab)).toBe("mail-reset-heading");
  // Of this origin only, named to nobody, and nothing sent.
  for (const request of requests.filter((each) => !isOwn(each)))
    expect(request).toMatch(/^GET http:\/\/localhost:\d+\/\S* -$/);
  expect(requests.join()).not.toContain(code);
  await reset(tab, account);
});

test("V05 V04 a mail that is opened in another browser shows the code to be typed; a robot that presses everything there sends nothing", async () => {
  const page = await site.open();
  const { account, url, code } = await forget(page);
  const other = await (await site.openBrowser()).newPage();
  const requests = await follow(other, url);
  const shown = other.locator("#mail").getByText(/^\w{3}-\w{3}-\w{3}$/);
  expect((await shown.textContent())?.replaceAll("-", "")).toBe(code);
  expect(other.url()).toBe(`${site.url}/`);
  const buttons = other.getByRole("button");
  for (let index = 0; index < (await buttons.count()); index++) await buttons.nth(index).click();
  await other.getByText("Password is missing.").first().waitFor();
  expect(requests.filter((each) => !each.startsWith("GET ") && !isOwn(each))).toEqual([]);
  await codeField(page).fill((await shown.textContent()) ?? "");
  await reset(page, account);
});

test("a link that is pasted into the address bar of the page that asked is taken, too", async () => {
  const page = await site.open();
  const { account, url, code } = await forget(page);
  await page.evaluate(`location.href = ${JSON.stringify(url)}`);
  await page.waitForURL(`${site.url}/`);
  expect(await codeField(page).inputValue()).toBe(code);
  await reset(page, account);
});

test("a wrong code is told where it was typed, and so is the first character of the right one", async () => {
  const page = await site.open();
  const { code, account } = await forget(page);
  const [first = ""] = code;
  const refusals = [
    [first === "K" ? "W" : "K", `The code begins with ${first}.`],
    [first, "The code is not right."],
  ];
  for (const [begins, text = ""] of refusals) {
    await codeField(page).fill(`${begins}00-000-000`);
    await form(page).getByLabel("New password").fill(createAccount().password);
    await click(page, "Set it");
    await page.locator("#reset-code-error").getByText(text).waitFor();
    expect(await focused(page)).toBe("reset-code");
  }
  await codeField(page).fill(code);
  await reset(page, account);
});

test("whoever is logged in elsewhere, or in this very browser, is logged out by the new password", async () => {
  const page = await site.open();
  const { account, url } = await forget(page);
  const tab = await openPage(page.context(), site.url);
  await enter(tab, "login", account);
  await page.goto(url);
  await form(page).getByLabel("New password").fill(createAccount().password);
  await click(page, "Set it");
  await says(page, "The password is set, and all sessions have ended.");
  expect(await site.sessionsOf(account)).toEqual([]);
});

test.each([
  "#kind=reset",
  "#kind=reset&code=K4M",
  "#kind=reset&code=K4M-XQ2-T9%3C",
  "#kind=mailbox&code=K4MXQ2T9W",
])("a link that is not whole, %s, is told as one", async (fragment) => {
  const page = await site.open();
  await page.goto(`${site.url}/${fragment}`);
  await page.getByRole("heading", { name: "This link is not whole" }).waitFor();
  expect(page.url()).toBe(`${site.url}/`);
});
