import { expect, test } from "@jest/globals";
import type { Page } from "playwright-core";
import {
  click,
  createAccount,
  enter,
  focused,
  isLoggedIn,
  openPage,
  says,
  startSite,
  submit,
} from "./support/site.ts";

const site = await startSite();
/** Faults that no refusal of the API explains: exceptions, and what the page's policy has blocked. */
const faults: string[] = [];

async function open(): Promise<Page> {
  const context = await site.openBrowser();
  context.on("weberror", (error) => void faults.push(String(error.error())));
  context.on("console", (message) => {
    const isRefusal = message.text().startsWith("Failed to load resource: the server responded with");
    if (message.type() === "error" && !isRefusal) faults.push(message.text());
  });
  return openPage(context, site.url);
}

async function openLoggedIn(account = createAccount()): Promise<Page> {
  const page = await open();
  await enter(page, "register", account);
  return page;
}

const signedOut = (page: Page) => page.getByRole("heading", { name: "Log in" }).waitFor();

test("by keyboard alone: register, and the focus is where the reader goes on", async () => {
  const { email, password } = createAccount();
  const page = await open();
  const { keyboard } = page;
  for (let i = 0; (await focused(page)) !== "register-email"; i++) {
    expect(i).toBeLessThan(10);
    await keyboard.press("Tab");
  }
  await keyboard.type(email);
  await keyboard.press("Tab");
  await keyboard.type(password);
  await keyboard.press("Enter");
  await says(page, "Registered and logged in.");
  expect(await focused(page)).toBe("who-heading");
  await keyboard.press("Tab");
  expect(await focused(page)).toBe("logout");
});

test("what is wrong with a field stands at the field, is read with it, and goes when it is mended", async () => {
  const page = await open();
  const fields = page.locator("#register");
  // Before anybody types.
  await fields.getByText("At least 15 characters").waitFor();
  expect(await fields.getByLabel("Password").getAttribute("aria-describedby")).toBe("register-password-hint");
  await submit(page, "register", { email: "ada", password: "short" });
  await page.locator("#register-password-error").waitFor();
  const [email, password] = [fields.getByLabel("E-mail address"), fields.getByLabel("Password")];
  for (const [field, id, text, hint] of [
    [email, "register-email-error", /must be an e-mail address/, ""],
    [password, "register-password-error", /must have 15 to 256 characters/, "register-password-hint "],
  ] as const) {
    expect(await field.getAttribute("aria-invalid")).toBe("true");
    expect(await field.getAttribute("aria-describedby")).toBe(hint + id);
    expect(await page.locator(`#${id}`).textContent()).toMatch(text);
  }
  expect(await focused(page)).toBe("register-email");
  await enter(page, "register", createAccount());
  expect(await fields.locator(".error, [aria-invalid]").count()).toBe(0);
});

test("an address that is taken, a wrong password, now or at log-in: told where it was typed, and can be typed again", async () => {
  const account = createAccount();
  const page = await openLoggedIn(account);
  await page.locator("#delete").getByLabel("Password").fill("not the right password");
  await click(page, "Delete it and all its sessions");
  await page.locator("#delete-password-error").getByText("The current password is wrong.").waitFor();
  expect(await focused(page)).toBe("delete-password");
  await click(page, "Log out");
  await submit(page, "register", account);
  await page.locator("#register-email-error").getByText("There is an account").waitFor();
  expect(await focused(page)).toBe("register-email");
  expect(await page.locator("#register-email").getAttribute("aria-invalid")).toBe("true");
  await submit(page, "login", { ...account, password: "not the right password" });
  const alert = page.locator("#login").getByRole("alert");
  expect(await alert.textContent()).toBe("The e-mail address or the password is wrong.");
  await enter(page, "login", account);
});

test("while the password is hashed the page says so, keeps the focus, and sends nothing twice", async () => {
  const page = await open();
  const held = site.network.hold("/auth/login");
  await submit(page, "login", createAccount());
  const answer = await held;
  await says(page, "Checking the password …");
  const button = page.locator("#login").locator("button[type=submit]");
  expect(await button.getAttribute("aria-disabled")).toBe("true");
  const before = site.network.statusesOf("/auth/login").length;
  await button.press("Enter");
  answer.release();
  await page.getByRole("alert").waitFor();
  expect(await button.getAttribute("aria-disabled")).toBeNull();
  expect(site.network.statusesOf("/auth/login")).toHaveLength(before);
});

test("the cookie is HttpOnly, SameSite=Strict, for the whole site, here without Secure; no script can read a token", async () => {
  const page = await openLoggedIn();
  const cookies = await page.context().cookies();
  expect(cookies.map(({ name }) => name).sort()).toEqual(["auth-cookie", "auth-cookie-device"]);
  for (const cookie of cookies) {
    expect(cookie).toMatchObject({ httpOnly: true, secure: false, sameSite: "Strict", path: "/" });
  }
  const day = (cookies.find(({ name }) => name === "auth-cookie")?.expires ?? 0) - Date.now() / 1_000;
  expect(day).toBeGreaterThan(86_000);
  expect(day).toBeLessThanOrEqual(86_400);
  const readable = (await page.evaluate(
    "document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + document.body.textContent",
  )) as string;
  expect(readable).not.toMatch(/auth-cookie|eyJ[\w-]+\.eyJ|refreshToken/);
});

test("/movies is called, and what the token says is shown", async () => {
  const account = createAccount();
  const page = await openLoggedIn(account);
  await click(page, "Call /movies");
  await says(page, '200: ["Avatar","Avengers"]');
  await page.getByText("What it says").click();
  const [session] = await site.sessionsOf(account);
  for (const text of [account.email, session?.userId, session?.sessionId]) {
    await page.locator("#claims").getByText(text).waitFor();
  }
  expect(await page.getByRole("timer").textContent()).toMatch(/^1[0-5]:\d\d min$/);
});

test("sessions are listed; one is ended, then all others; none of them is left in the table", async () => {
  const account = createAccount();
  const page = await openLoggedIn(account);
  const others = [await open(), await open(), await open()];
  for (const other of others) await enter(other, "login", account);
  await page.reload();
  const rows = page.locator("#sessions li");
  await rows.nth(3).waitFor();
  expect(await rows.getByText("This session").count()).toBe(1);
  const end = page.getByRole("button", { name: /^End it: the session since / });
  await end.first().click();
  await says(page, "The session has ended.");
  expect(await rows.count()).toBe(3);
  expect(await site.sessionsOf(account)).toHaveLength(3);
  await click(page, "End all others");
  await says(page, "All other sessions have ended.");
  expect(await rows.count()).toBe(1);
  expect(await page.getByRole("button", { name: "End all others" }).isVisible()).toBe(false);
  expect(await site.sessionsOf(account)).toHaveLength(1);
});

test("the password is changed: the other session is over, the old password is wrong, the new one right", async () => {
  const account = createAccount();
  const page = await openLoggedIn(account);
  const other = await open();
  await enter(other, "login", account);
  const { password: newPassword } = createAccount();
  const form = page.locator("#password");
  await form.getByLabel("Current password").fill("not the right password");
  await form.getByLabel("New password").fill(newPassword);
  await click(page, "Change it");
  expect(await form.locator(".error").textContent()).toBe("The current password is wrong.");
  await form.getByLabel("Current password").fill(account.password);
  await click(page, "Change it");
  await says(page, "The password is changed, and all other sessions have ended.");
  expect(await form.getByLabel("Current password").inputValue()).toBe("");
  expect(await site.sessionsOf(account)).toHaveLength(1);
  await click(page, "Log out");
  await signedOut(page);
  await submit(page, "login", account);
  await page.locator("#login").getByRole("alert").waitFor();
  await enter(page, "login", { ...account, password: newPassword });
});

test("logging out is seen in every tab, and ends the session; logging in is seen, too", async () => {
  const account = createAccount();
  const page = await openLoggedIn(account);
  const tab = await openPage(page.context(), site.url);
  await click(tab, "Log out");
  await says(tab, "Logged out.");
  await says(page, "Logged out in another tab.");
  expect(await focused(page)).toBe("login-heading");
  expect(await site.sessionsOf(account)).toEqual([]);
  expect((await page.context().cookies()).map(({ name }) => name)).toEqual(["auth-cookie-device"]);
  await enter(tab, "login", account);
  await isLoggedIn(page, account);
});

test("reload, back and forward keep the session; after a logout elsewhere, back shows nobody's data", async () => {
  const account = createAccount();
  const page = await openLoggedIn(account);
  await page.reload();
  await isLoggedIn(page, account);
  await page.goto(`${site.url}/movies`);
  await page.goBack();
  await isLoggedIn(page, account);
  await page.goForward();
  const tab = await openPage(page.context(), site.url);
  await click(tab, "Log out");
  await says(tab, "Logged out.");
  await page.goBack();
  await signedOut(page);
  expect(await page.locator("#signed-in").isVisible()).toBe(false);
});

test("the account is deleted, with its sessions", async () => {
  const account = createAccount();
  const page = await openLoggedIn(account);
  await page.locator("#delete").getByLabel("Password").fill(account.password);
  await click(page, "Delete it and all its sessions");
  await says(page, "The account and all its sessions are gone.");
  await submit(page, "login", account);
  await page.locator("#login").getByRole("alert").waitFor();
});

// The browser sends the cookie along to the same site, whatever the port; another site gets none (SameSite=Strict).
test.each([
  ["the same site", "localhost", true],
  ["another site", "127.0.0.1", false],
])(
  "a form that a page of %s posts to the API is refused, and the session goes on",
  async (_, host, hasCookie) => {
    const account = createAccount();
    const page = await openLoggedIn(account);
    const body = `<form method="post" action="${site.url}/auth/logout"><button>Win a prize</button></form>`;
    const elsewhere = await page.context().newPage();
    await elsewhere.route(`http://${host}:9999/`, (route) =>
      route.fulfill({ contentType: "text/html", body }),
    );
    await elsewhere.goto(`http://${host}:9999/`);
    const answered = elsewhere.waitForResponse(`${site.url}/auth/logout`);
    await click(elsewhere, "Win a prize");
    const answer = await answered;
    expect("cookie" in (await answer.request().allHeaders())).toBe(hasCookie);
    expect(answer.status()).toBe(403);
    while (!site.output().includes('"code":"cross_site_request"')) await page.waitForTimeout(20);
    expect(await site.sessionsOf(account)).toHaveLength(1);
    await click(page, "Call /movies");
    await says(page, "200: ");
  },
);

test("no script has failed in any of this, and the page's policy had nothing to block", () => {
  expect(faults).toEqual([]);
});
