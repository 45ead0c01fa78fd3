import { expect, test } from "@jest/globals";
import type { Page } from "playwright-core";
import { click, createAccount, enter, focused, openPage, says, startSite } from "./support/site.ts";

const site = await startSite();
const ended = "Your session has ended. Log in again.";

/** The page gives the browser a clock of its own that a test sets: its own timers go on. */
async function shiftClock(page: Page, seconds: number): Promise<void> {
  await page.evaluate(`{ const now = Date.now; Date.now = () => now() + ${seconds * 1_000}; }`);
}

const isLoggedIn = (page: Page) => page.locator("#signed-in").isVisible();
const lookedAt = (page: Page) => page.waitForResponse(`${site.url}/auth/me`);

/** The page is looked at again, until it asks: it does not while it has an answer to read. */
async function comeBack(page: Page): Promise<void> {
  let hasAsked = false;
  const looked = lookedAt(page).then(() => {
    hasAsked = true;
  });
  while (!hasAsked) {
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
    await Promise.race([looked, page.waitForTimeout(20)]);
  }
}

test("a session that another browser has ended stays ended in every tab, though its last token still opens things", async () => {
  const account = createAccount();
  const page = await site.openLoggedIn(account);
  const tab = await openPage(page.context(), site.url);
  const elsewhere = await site.open();
  await enter(elsewhere, "login", account);
  await click(elsewhere, "End all others");
  await says(elsewhere, "All other sessions have ended.");
  // The pair is young no more.
  for (const each of [page, tab]) await shiftClock(each, 62);
  await page.locator("#password").getByLabel("Current password").fill(account.password);
  await click(page, "Renew it now");
  for (const each of [page, tab]) await says(each, ended);
  for (const each of [page, tab]) {
    await comeBack(each);
    await says(each, ended);
    expect(await isLoggedIn(each)).toBe(false);
    await Promise.all([lookedAt(each), each.reload()]);
    await says(each, ended);
    expect(await isLoggedIn(each)).toBe(false);
  }
  expect((await page.request.get(`${site.url}/auth/me`)).status()).toBe(200);
  await enter(tab, "login", account);
  await says(page, `Logged in as ${account.email}.`);
  expect(await page.locator("#password").getByLabel("Current password").inputValue()).toBe("");
});

test("a cookie that was deleted by hand: in the first minute, too, the page says to log in again", async () => {
  const page = await site.openLoggedIn();
  // All that this page asks by itself, which would find the end before the click does.
  for (const path of ["sessions", "account", "passkeys"])
    await page.locator("#calls").getByText(`GET /auth/${path}: 200`).waitFor({ state: "attached" });
  await page.context().clearCookies();
  await click(page, "Call /movies");
  await says(page, ended);
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  expect(await page.locator("#movies-answer").textContent()).toBe("");
});

/** How long the token is good, as the page counts it. */
async function secondsLeft(page: Page): Promise<number> {
  const [, minutes, seconds] =
    /^(\d+):(\d\d) min$/.exec((await page.getByRole("timer").textContent()) ?? "") ?? [];
  return 60 * Number(minutes) + Number(seconds);
}

test.each([7_200, -7_200])(
  "a device's clock that is wrong by %i s: the token is counted all the same",
  async (skew) => {
    const context = await site.openBrowser();
    await context.addInitScript(`{ const now = Date.now; Date.now = () => now() + ${skew * 1_000}; }`);
    const page = await openPage(context, site.url);
    await enter(page, "register", createAccount());
    const asked: string[] = [];
    page.on("request", (request) => request.url().endsWith("/auth/me") && asked.push(request.url()));
    const first = await secondsLeft(page);
    expect(first).toBeGreaterThan(600);
    // It would look again every five seconds.
    while ((await secondsLeft(page)) > first - 6) await page.waitForTimeout(100);
    expect(asked).toEqual([]);
  },
);

test("nothing that was typed stays when somebody logs in or out, and other tabs say so and keep the focus", async () => {
  const account = createAccount();
  const page = await site.openLoggedIn(account);
  const tab = await openPage(page.context(), site.url);
  // What is under way would be noted after the list of calls was emptied.
  await tab.locator("#calls").getByText("GET /auth/passkeys: 200").waitFor({ state: "attached" });
  await tab.locator("#password").getByLabel("Current password").fill(account.password);
  await tab.locator("#delete").getByLabel("Password").fill("not the right password");
  await click(tab, "Delete it and all its sessions");
  await tab.locator("#delete-password-error").waitFor();
  await click(page, "Log out");
  await says(tab, "Logged out in another tab.");
  expect(await focused(tab)).toBe("login-heading");
  expect(await tab.locator("#calls").getByText("/auth/account").count()).toBe(0);
  await tab.locator("#register").getByLabel("Password").fill(account.password);
  await enter(page, "login", account);
  await says(tab, `Logged in as ${account.email}.`);
  expect(await focused(tab)).toBe("who-heading");
  for (const input of await tab.locator("input[type=password]").all())
    expect(await input.inputValue()).toBe("");
  expect(await tab.locator(".error, [aria-invalid]").count()).toBe(0);
});

test("the button of a session that is gone: the list is new, and the page says that it had ended already", async () => {
  const account = createAccount();
  const page = await site.openLoggedIn(account);
  const other = await site.open();
  await enter(other, "login", account);
  await page.reload();
  await page.locator("#sessions li").nth(1).waitFor();
  await click(other, "Log out");
  await says(other, "Logged out.");
  await page.getByRole("button", { name: /^End it/ }).click();
  await says(page, "The session had ended already.");
  expect(await page.locator("#sessions li").count()).toBe(1);
});

test("a list that comes late is not shown to whoever has logged in since", async () => {
  const account = createAccount();
  const page = await site.openLoggedIn(account);
  const other = await site.open();
  await enter(other, "login", account);
  for (const each of [page, other]) await each.locator("#sessions").getByText("This session").waitFor();
  const held = site.network.hold("/auth/sessions");
  await page.reload();
  const answer = await held;
  await click(page, "Log out");
  await says(page, "Logged out.");
  await enter(page, "register", createAccount());
  await page.locator("#sessions").getByText("This session").waitFor();
  answer.release();
  await page.locator("#calls").getByText("GET /auth/sessions: 200").nth(1).waitFor({ state: "attached" });
  await click(page, "Call /movies");
  await says(page, "200: ");
  expect(await page.locator("#sessions li").count()).toBe(1);
});

test("a renewal by the button that ends the session: the page says to log in again", async () => {
  const page = await site.openLoggedIn();
  const refusal = { code: "device_proof_required", detail: "For developers." };
  await page.route("**/auth/refresh", (route) => route.fulfill({ status: 403, json: refusal }));
  await shiftClock(page, 62);
  await click(page, "Renew it now");
  await says(page, ended);
  expect(await page.locator("#notice").textContent()).toBe(ended);
});
