import { expect, test } from "@jest/globals";
import type { Page } from "playwright-core";
import { createAccount, enter, openPage, says, startSite, submit } from "./support/site.ts";
import { expectAccessible, pictures } from "./support/states.ts";

const site = await startSite();

/** What is on a page while it is looked at, and how it comes to that. */
interface State {
  name: string;
  path?: string;
  reach?: (page: Page) => Promise<unknown>;
}

const states: State[] = [
  { name: "docs", path: "/docs" },
  { name: "signed-out" },
  {
    name: "field-errors",
    async reach(page) {
      await submit(page, "register", { email: "ada", password: "short" });
      await page.locator("#register-password-error").waitFor();
    },
  },
  {
    name: "waiting",
    async reach(page) {
      const answer = site.network.hold("/auth/login");
      await submit(page, "login", createAccount());
      await answer;
    },
  },
  {
    name: "wrong-password",
    async reach(page) {
      await submit(page, "login", createAccount());
      await page.getByRole("alert").waitFor();
    },
  },
  {
    name: "too-many-attempts",
    async reach(page) {
      const account = createAccount();
      const alert = page.getByRole("alert");
      do {
        await submit(page, "login", account);
        await alert.waitFor();
      } while (!(await alert.textContent())?.includes("Too many"));
    },
  },
  {
    name: "signed-in",
    async reach(page) {
      const account = { ...createAccount(), email: "ada@example.com" };
      await enter(page, "register", account);
      const other = await openPage(await site.openBrowser(), site.url);
      await enter(other, "login", account);
      await page.reload();
      await page.getByRole("button", { name: "Call /movies" }).click();
      await page.getByText("Avatar").waitFor();
      await page.setViewportSize({ width: 800, height: 540 });
      await page.screenshot({ path: `${pictures}/readme.png` });
      await page.getByText("What the token says").click();
    },
  },
  {
    name: "signed-out-elsewhere",
    async reach(page) {
      await enter(page, "register", createAccount());
      const other = await openPage(page.context(), site.url);
      await other.getByRole("button", { name: "Log out" }).click();
      await page.getByText("Logged out in another tab").waitFor();
    },
  },
  {
    name: "unreachable",
    async reach(page) {
      await enter(page, "register", createAccount());
      site.network.cut();
      await page.getByRole("button", { name: "Call /movies" }).click();
      await says(page, "The API cannot be reached.");
      site.network.mend();
    },
  },
];

test.each(states)(
  "$name: axe-core finds no fault, dark and light, and it fits a telephone",
  async ({ name, path = "/", reach }) => {
    const context = await site.openBrowser({ viewport: { width: 900, height: 700 } });
    const page = await context.newPage();
    await page.goto(site.url + path);
    await reach?.(page);
    await expectAccessible(page, name);
    await context.close();
  },
);

test("what npm start has printed holds no cookie and no password", () => {
  expect(site.output()).toContain('"route":"POST /auth/login"');
  expect(site.output()).not.toMatch(/correct horse|eyJ|refreshToken/);
});
