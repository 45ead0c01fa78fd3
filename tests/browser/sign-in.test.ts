import { randomUUID } from "node:crypto";
import { afterAll, expect, test } from "@jest/globals";
import type { BrowserContext, Page, Request } from "playwright-core";
import { startProvider } from "../../local/provider.ts";
import { createAuthenticators } from "../support/authenticator.ts";
import { clock } from "../support/clock.ts";
import { addAuthenticator, startHeldSite } from "./support/held-site.ts";
import { click, createAccount, enter, focused, isLoggedIn, openPage, says } from "./support/site.ts";
import { expectAccessible } from "./support/states.ts";

// The page, and real OpenID providers on another site: 127.0.0.1 and localhost.

let provider: Awaited<ReturnType<typeof startProvider>>;
let evil: Awaited<ReturnType<typeof startProvider>>;
const site = await startHeldSite(async (url, { environment }) => {
  const start = (id: string) => startProvider({ port: 0, redirectUris: [`${url}/signed-in/${id}`] });
  [provider, evil] = [await start("test"), await start("evil")];
  // Without the prompt of npm start: whoever has signed in there is asked nothing the next time.
  const { prompt: _, ...entry } = provider.entry;
  const { redirectUris } = evil.entry;
  return {
    // Addresses are proven by mail.
    ...{ REGISTRATION: "verified", ROUTES: environment.ROUTES ?? "" },
    IDENTITY_PROVIDERS: JSON.stringify([entry, { ...evil.entry, id: "evil", name: "Evil", redirectUris }]),
    PROVIDER_KEYS: JSON.stringify({ ...provider.keys, evil: evil.keys.test }),
  };
});
afterAll(() => Promise.all([provider.stop(), evil.stop()]));
const { database } = site.service;
const addFactor = createAuthenticators(site.service);

const someone = () => `${randomUUID().slice(0, 8)}@example.com`;
const part = (page: Page, id: string) => page.locator(`#${id}`);

/** Presses the button, and comes to the form of the provider. */
async function goThere(page: Page, button = "Continue with Test provider"): Promise<void> {
  await click(page, button);
  await page.getByRole("heading", { name: "Test provider" }).waitFor();
}

/** Types an address there, and comes back. */
async function comeBack(page: Page, email: string): Promise<void> {
  await page.getByLabel("E-mail address").fill(email);
  await click(page, "Sign in");
  await page.waitForURL((url) => url.origin === site.url);
}

async function signIn(page: Page, email = someone()): Promise<string> {
  await goThere(page);
  await comeBack(page, email);
  await isLoggedIn(page, { email });
  return email;
}

/** Signs in at the provider, and comes back to a page whose script does not load: gives the address that was opened. */
async function stopAtReturn(page: Page, email: string): Promise<string> {
  await goThere(page);
  await page.route("**/page.js", (route) => route.abort());
  await comeBack(page, email);
  await page.unroute("**/page.js");
  expect(page.url()).toContain("code=");
  return page.url();
}

/** What a page sends to end sign-ins. */
function watchFinishes(context: BrowserContext): Request[] {
  const sent: Request[] = [];
  context.on("request", (request) => request.url().endsWith("/finish") && sent.push(request));
  return sent;
}

const sessionsOf = async (email: string) => {
  const entry = await database.find("identities", { identity: `email:${email}` });
  return database.sessionsOf(entry?.userId ?? "");
};

test("Q03 clicked, then silent: both times somebody is signed in, and no address holds the code", async () => {
  const page = await site.open();
  const returns: Request[] = [];
  page.on("request", (request) => request.url().includes("/signed-in/") && returns.push(request));
  await part(page, "providers").getByRole("button").first().waitFor();
  await expectAccessible(page, "providers");
  const email = await signIn(page);
  await says(page, "Logged in.");
  expect(page.url()).toBe(`${site.url}/`);
  // What the browser sends when a click has led here from another site: nothing that is Strict.
  expect((await returns[0]?.allHeaders())?.cookie).toBeUndefined();
  expect((await page.context().cookies(site.url)).map(({ sameSite }) => sameSite)).toEqual([
    "Strict",
    "Strict",
  ]);
  await click(page, "Log out");
  await click(page, "Continue with Test provider");
  await isLoggedIn(page, { email });
  expect(returns).toHaveLength(2);
  await page.goBack();
  await page.goForward();
  expect(returns).toHaveLength(2);
  expect(page.url()).not.toContain("code=");
});

test("X03 two tabs that begin at once: both end, in the other order", async () => {
  const first = await site.open();
  const second = await openPage(first.context(), site.url);
  const email = someone();
  await goThere(first);
  await goThere(second);
  await comeBack(second, email);
  await isLoggedIn(second, { email });
  await comeBack(first, email);
  await isLoggedIn(first, { email });
  // The second one took the place of the first.
  expect(await sessionsOf(email)).toHaveLength(1);
});

test("X08 an answer that is lost comes again: one session, and the same one", async () => {
  const page = await site.open();
  const finish = "/auth/external/test/finish";
  const before = site.network.statusesOf(finish).length;
  const answer = site.network.hold(finish);
  const email = someone();
  await goThere(page);
  await comeBack(page, email);
  (await answer).lose();
  await isLoggedIn(page, { email });
  expect(site.network.statusesOf(finish).slice(before)).toEqual([200, 200]);
  expect(await sessionsOf(email)).toHaveLength(1);
});

test("Q02 Q03 a return address is of use once, and in the browser alone that began", async () => {
  const page = await site.open();
  const email = someone();
  const url = await stopAtReturn(page, email);
  const thief = await site.open();
  const stolen = watchFinishes(thief.context());
  await thief.goto(url);
  await part(thief, "returned").getByText("begun elsewhere").waitFor();
  expect(await focused(thief)).toBe("returned-heading");
  expect(thief.url()).toBe(`${site.url}/`);
  await expectAccessible(thief, "sign-in-over");
  await click(thief, "Close");
  expect([await part(thief, "returned").isVisible(), await part(thief, "signed-out").isVisible()]).toEqual([
    false,
    true,
  ]);
  expect(stolen).toEqual([]);

  await page.goto(url);
  await isLoggedIn(page, { email });
  const again = watchFinishes(page.context());
  const tab = await page.context().newPage();
  await tab.goto(url);
  await isLoggedIn(tab, { email });
  expect([await part(tab, "returned").isVisible(), again]).toEqual([false, []]);
});

test("Q01 a provider that leads to another one (mix-up) does not get its code", async () => {
  const page = await site.open();
  const sent = watchFinishes(page.context());
  // Its login page sends the browser on, with the state of its own sign-in and the page of the honest one.
  await page.route(`${evil.issuer}/auth?**`, (route) => {
    const url = new URL(route.request().url());
    url.searchParams.set("redirect_uri", `${site.url}/signed-in/test`);
    return route.fulfill({ status: 302, headers: { location: `${provider.issuer}/auth${url.search}` } });
  });
  await goThere(page, "Continue with Evil");
  await comeBack(page, someone());
  await part(page, "returned").getByText("begun elsewhere").waitFor();
  expect(sent).toEqual([]);
});

test.each<[what: string, refuse: (page: Page) => Promise<unknown>, text: string]>([
  ["who cancels there", (page) => click(page, "Cancel"), "The sign-in was cancelled at the provider."],
  [
    "whose address is not verified",
    async (page) => {
      await page.getByLabel("verified").uncheck();
      await comeBack(page, someone());
    },
    "The provider does not say that the e-mail address is yours.",
  ],
])("X26 %s is told so, and can begin again", async (_, refuse, text) => {
  const page = await site.open();
  await goThere(page);
  await refuse(page);
  await part(page, "returned").getByRole("alert").getByText(text).waitFor();
  // With another address: the provider remembers nobody.
  await page.context().clearCookies({ domain: "127.0.0.1" });
  await signIn(page);
  expect(await part(page, "returned").isVisible()).toBe(false);
});

test("X25 X45 an account with the address is not taken over: its owner logs in, proves the address, and links", async () => {
  const account = await site.service.register();
  const page = await site.open();
  await enter(page, "login", account);
  await part(page, "identities").getByText("First prove").waitFor();
  expect(await part(page, "identities-link").isVisible()).toBe(false);
  await click(page, "Log out");
  await goThere(page);
  await comeBack(page, account.email);
  await part(page, "returned").getByText("Log in as before, then link").waitFor();
  await expectAccessible(page, "email-taken");
  await enter(page, "login", account);
  expect(await part(page, "returned").isVisible()).toBe(false);
  await database.change("users", { userId: account.userId }, { emailVerifiedAt: clock.now });
  await page.reload();

  // The provider still knows who that is.
  await click(page, "Link Test provider");
  await says(page, "Test provider opens your account now.");
  await part(page, "identities-list").getByText(account.email).waitFor();
  await expectAccessible(page, "identities");
  await click(page, "Log out");
  await click(page, "Continue with Test provider");
  await isLoggedIn(page, account);
  await page.getByRole("button", { name: /^Unlink/ }).click();
  await says(page, "Test provider opens your account no more");
  expect(await focused(page)).toBe("identities-heading");
  expect(await part(page, "identities-list").locator("li").count()).toBe(0);
});

test("X33 a code of the app is asked for on the way back, and what the provider said stays good", async () => {
  const page = await site.open();
  const email = await signIn(page);
  const { userId = "" } = (await database.find("identities", { identity: `email:${email}` })) ?? {};
  const app = await addFactor({ userId });
  await click(page, "Log out");
  await click(page, "Continue with Test provider");
  const field = part(page, "returned-form").getByLabel("Code from your authenticator app");
  await field.fill("000000");
  await expectAccessible(page, "provider-otp");
  await field.press("Enter");
  await page.locator("#returned-form-otp-error").getByText("This code is wrong.").waitFor();
  await click(page, "Use a recovery code instead");
  await part(page, "returned-form")
    .getByLabel("Recovery code")
    .fill(app.recoveryCodes[0] ?? "");
  await page.keyboard.press("Enter");
  await says(page, "Logged in. 9 of 10 recovery codes are left.");
  await isLoggedIn(page, { email });
});

test("the provider is away: the page says so, and the same sign-in goes on a moment later", async () => {
  const page = await site.open();
  const away = {
    status: 503,
    contentType: "application/problem+json",
    body: '{"code":"provider_unavailable","detail":"The provider does not answer. Try again in a moment."}',
  };
  await page.route("**/auth/external/test/finish", (route) => route.fulfill(away), { times: 3 });
  await goThere(page);
  const email = someone();
  await comeBack(page, email);
  await part(page, "returned").getByText("The provider does not answer.").waitFor();
  await click(page, "Try again");
  await isLoggedIn(page, { email });
});

test("X43 X45 an account without a password: its last way in stays, and whoever logged in long ago proves it at the provider", async () => {
  const page = await site.open();
  const email = await signIn(page);
  const unlink = page.getByRole("button", { name: /^Unlink/ });
  await unlink.click();
  await says(page, "Nothing else opens your account.");
  clock.advance(301);
  await unlink.click();
  const dialog = page.getByRole("dialog", { name: "Is it still you?" });
  expect(await dialog.getByLabel("Password").isVisible()).toBe(false);
  await expectAccessible(page, "step-up-provider");
  await dialog.getByRole("button", { name: "Continue with Test provider" }).click();
  await says(page, "It is you. Press the button once more.");
  await isLoggedIn(page, { email });
  await unlink.click();
  await says(page, "Nothing else opens your account.");
});

test("nobody sees what the one before has, also where the account cannot be read", async () => {
  const page = await site.open();
  const email = await signIn(page);
  await part(page, "identities-list").getByText(email).waitFor();
  await click(page, "Log out");
  await says(page, "Logged out.");
  await page.route("**/auth/account", (route) => route.fulfill({ status: 503, json: {} }));
  await enter(page, "login", await site.service.register());
  await part(page, "factor").getByRole("alert").getByText("overloaded").waitFor();
  expect(await part(page, "signed-in").textContent()).not.toContain(email);
  // The one before had none.
  expect(await part(page, "delete").getByLabel("Password").isVisible()).toBe(true);
});

/** Waits until the page knows that there is no password: before that it asks for one. */
const needsNoPassword = (page: Page) => page.getByRole("heading", { name: "Set a password" }).waitFor();

/** Presses a button too long after the login, and goes to the provider, which remembers nobody. */
async function goOnceMore(page: Page, button: string): Promise<void> {
  await needsNoPassword(page);
  clock.advance(301);
  page.once("dialog", (dialog) => dialog.accept());
  await click(page, button);
  await page.context().clearCookies({ domain: "127.0.0.1" });
  const dialog = page.getByRole("dialog", { name: "Is it still you?" });
  await dialog.getByRole("button", { name: "Continue with Test provider" }).click();
  await page.getByRole("heading", { name: "Test provider" }).waitFor();
}

test("X45 whoever comes back as another user is told so, in every tab: nothing that was pressed before is done", async () => {
  const page = await site.open();
  const email = await signIn(page);
  const tab = await openPage(page.context(), site.url);
  await needsNoPassword(tab);
  clock.advance(301);
  tab.once("dialog", (dialog) => dialog.accept());
  await click(tab, "Delete it and all its sessions");
  await tab.getByRole("dialog", { name: "Is it still you?" }).waitFor();
  await goOnceMore(page, "Delete it and all its sessions");
  const other = someone();
  await comeBack(page, other);
  await says(page, `You signed in as ${other}, which is another account. Nothing was changed.`);
  await isLoggedIn(tab, { email: other });
  expect(await tab.getByRole("dialog").count()).toBe(0);
  await needsNoPassword(page);
  page.once("dialog", (dialog) => {
    expect(dialog.message()).toBe(`Delete the account of ${other}?`);
    return dialog.dismiss();
  });
  await click(page, "Delete it and all its sessions");
  for (const each of [email, other])
    expect(await database.find("identities", { identity: `email:${each}` })).toBeDefined();
});

test("a login once more that was cancelled is over: the next user is logged in as ever", async () => {
  const page = await site.open();
  await signIn(page);
  await goOnceMore(page, "Delete it and all its sessions");
  await click(page, "Cancel");
  await part(page, "returned").getByText("cancelled").waitFor();
  await click(page, "Close");
  await click(page, "Log out");
  await signIn(page);
  await says(page, "Logged in.");
});

test("an account without a password: asks for none, gets its first one, and is deleted", async () => {
  const page = await site.open();
  const email = await signIn(page);
  await needsNoPassword(page);
  for (const form of ["password", "ask-email", "delete"])
    expect(
      await part(page, form)
        .getByLabel(/^(Current p|P)assword$/)
        .isVisible(),
    ).toBe(false);
  await expectAccessible(page, "without-password");
  await part(page, "ask-email").getByLabel("New e-mail address").fill(someone());
  await click(page, "Mail a code there");
  await page.getByText("Look into the mail of").waitFor();
  const { password } = createAccount();
  await part(page, "password").getByLabel("New password").fill(password);
  await click(page, "Set it");
  await says(page, "The password is set, and all other sessions have ended.");
  await page.getByRole("heading", { name: "Change the password" }).waitFor();
  await click(page, "Log out");
  await enter(page, "login", { email, password });
  await part(page, "delete").getByLabel("Password").fill(password);
  await click(page, "Delete it and all its sessions");
  await says(page, "The account and all its sessions are gone.");

  await page.context().clearCookies({ domain: "127.0.0.1" });
  const other = await signIn(page);
  await needsNoPassword(page);
  page.once("dialog", (dialog) => dialog.accept());
  await click(page, "Delete it and all its sessions");
  await says(page, "The account and all its sessions are gone.");
  expect(await database.find("identities", { identity: `email:${other}` })).toBeUndefined();
});

test("an account is made with a passkey, and without a password", async () => {
  const page = await site.open();
  await addAuthenticator(page.context(), page);
  const email = someone();
  await part(page, "ask-register").getByLabel("E-mail address").fill(email);
  await part(page, "ask-register").getByRole("button").click();
  await page.getByText(`Look into the mail of ${email}`).waitFor();
  await click(page, "Use a passkey instead of a password");
  await page.locator("#confirm-register-code-error").waitFor();
  await part(page, "confirm-register")
    .getByLabel("Code from the mail")
    .fill(await site.mailbox.receiveCode(email));
  await expectAccessible(page, "register-passkey");
  await click(page, "Use a passkey instead of a password");
  await says(page, "Registered and logged in.");
  await isLoggedIn(page, { email });
  await needsNoPassword(page);
});
