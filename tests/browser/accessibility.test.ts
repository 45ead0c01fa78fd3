import { expect, test } from "@jest/globals";
import type { Page } from "playwright-core";
import { click, createAccount, enter, openPage, says, startSite, submit } from "./support/site.ts";
import { expectAccessible, pictures } from "./support/states.ts";

const site = await startSite();

/** What is looked at, and how a page comes to that. */
const states: Record<string, (page: Page) => Promise<unknown>> = {
  docs: (page) => page.goto(`${site.url}/docs`),
  async "signed-out"(page) {
    await page.getByRole("button", { name: "Continue with Test provider" }).waitFor();
    await page.setViewportSize({ width: 800, height: 670 });
    await page.screenshot({ path: `${pictures}/readme.png` });
  },
  async "field-errors"(page) {
    await submit(page, "register", { email: "ada", password: "short" });
    await page.locator("#register-password-error").waitFor();
  },
  async waiting(page) {
    const answer = site.network.hold("/auth/login");
    await submit(page, "login", createAccount());
    await answer;
  },
  async "wrong-password"(page) {
    await submit(page, "login", createAccount());
    await page.getByRole("alert").waitFor();
  },
  async "too-many-attempts"(page) {
    const account = createAccount();
    const alert = page.getByRole("alert");
    do {
      await submit(page, "login", account);
      await alert.waitFor();
    } while (!(await alert.textContent())?.includes("Too many"));
  },
  async "signed-in"(page) {
    const account = { ...createAccount(), email: "ada@example.com" };
    await enter(page, "register", account);
    await enter(await site.open(), "login", account);
    await page.reload();
    await click(page, "Call /movies");
    await page.getByText("Avatar").waitFor();
    await page.getByText("What it says").click();
  },
  async "signed-out-elsewhere"(page) {
    await enter(page, "register", createAccount());
    await click(await openPage(page.context(), site.url), "Log out");
    await page.getByText("Logged out in another tab").waitFor();
  },
  async "code-from-a-mail"(page) {
    await click(page, "Forgot your password?");
    await page.locator("#forgot").getByLabel("E-mail address").fill("ada@example.com");
    await page.locator("#forgot").locator("button[type=submit]").click();
    await page.getByText("Look into the mail of").waitFor();
    await page.locator("#reset").getByLabel("Code from the mail").fill("?");
    await page.locator("#reset").getByLabel("New password").fill("short");
    await click(page, "Set it");
    await page.locator("#reset-code-error").waitFor();
  },
  async "code-of-elsewhere"(page) {
    await page.goto(`${site.url}/#kind=reset&code=K4MXQ2T9W`);
    await page.getByText("K4M-XQ2-T9W").waitFor();
  },
  async unreachable(page) {
    await enter(page, "register", createAccount());
    site.network.cut();
    await click(page, "Call /movies");
    await says(page, "The API cannot be reached.");
    site.network.mend();
  },
};

test.each(Object.entries(states))(
  "%s: axe-core finds no fault, dark and light, and it fits a telephone",
  async (name, reach) => {
    const page = await site.open({ viewport: { width: 900, height: 700 } });
    await reach(page);
    await expectAccessible(page, name);
    await page.context().close();
  },
);

test("what npm start has printed holds no cookie and no password", () => {
  expect(site.output()).toContain('"route":"POST /auth/login"');
  expect(site.output()).not.toMatch(/correct horse|eyJ[\w-]+\.eyJ|refreshToken/);
});
