import { expect, test } from "@jest/globals";
import type { Page } from "playwright-core";
import { click, createAccount, enter, isLoggedIn, says, startSite, submit } from "./support/site.ts";
import { expectAccessible } from "./support/states.ts";

const site = await startSite();

/** From here on the gateway answers a path itself, as it does: with no problem document. */
async function refuse(page: Page, path: string, status: number): Promise<void> {
  const json = { message: "Not now" };
  await page.route(`${site.url}${path}`, (route) => route.fulfill({ status, json }));
}

test("a login succeeds and the list of sessions fails: the list says so, and the login is told", async () => {
  const account = createAccount();
  const page = await site.openLoggedIn(account);
  await click(page, "Log out");
  await refuse(page, "/auth/sessions", 503);
  await enter(page, "login", account);
  await says(page, "Logged in.");
  await page.locator("#sessions").getByText("The API is overloaded at the moment.").waitFor();
  expect(await page.locator("#login .error").count()).toBe(0);
  await page.unroute(`${site.url}/auth/sessions`);
  await click(page, "List them again");
  await page.locator("#sessions").getByText("This session").waitFor();
});

test.each([
  [413, "That is more than the API takes."],
  [429, "The API is asked too much at the moment. Try again in a moment."],
  [503, "The API is overloaded at the moment."],
  [502, "The API answered 502, and does not say why."],
])("a refusal of the gateway's own, %i, is told in words", async (status, text) => {
  const page = await site.open();
  await refuse(page, "/auth/login", status);
  await submit(page, "login", createAccount());
  expect(await page.locator("#login").getByRole("alert").textContent()).toBe(text);
});

test("what went wrong is taken back by what goes well, and a call without a response is in the list of calls", async () => {
  const page = await site.openLoggedIn();
  site.network.cut();
  await click(page, "Call /movies");
  await says(page, "The API cannot be reached.");
  await page.locator("#calls").getByText("GET /movies: no answer").waitFor();
  site.network.mend();
  await click(page, "Call /movies");
  await says(page, '200: ["Avatar","Avengers"]');
  expect(await page.locator("#notice").textContent()).toBe("");
});

test("a page that opens while the API is away shows no login form; it tries again when told so", async () => {
  const account = createAccount();
  const page = await site.openLoggedIn(account);
  await refuse(page, "/auth/me", 503);
  await page.reload();
  await says(page, "The API is overloaded at the moment.");
  expect(await page.locator("#signed-out").isVisible()).toBe(false);
  await page.unroute(`${site.url}/auth/me`);
  await expectAccessible(page, "unknown");
  await click(page, "Try again");
  await isLoggedIn(page, account);
});

test("a field that is left empty is told without asking the API", async () => {
  const page = await site.open();
  const { length } = site.network.statusesOf("/auth/login");
  await page.locator("#login").locator("button[type=submit]").click();
  await page.locator("#login-email-error").getByText("E-mail address is missing.").waitFor();
  await page.locator("#login-password-error").getByText("Password is missing.").waitFor();
  expect(site.network.statusesOf("/auth/login")).toHaveLength(length);
});
