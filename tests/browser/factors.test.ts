import { buffer } from "node:stream/consumers";
import { expect, test } from "@jest/globals";
import { generate } from "lean-qr/nano";
import type { Page } from "playwright-core";
import { codeOf } from "../support/authenticator.ts";
import { clock } from "../support/clock.ts";
import { addAuthenticator, startHeldSite } from "./support/held-site.ts";
import {
  type Account,
  click,
  createAccount,
  enter,
  focused,
  isLoggedIn,
  openPage,
  says,
  submit,
} from "./support/site.ts";
import { expectAccessible } from "./support/states.ts";

const site = await startHeldSite();
const { database } = site.service;

const part = (page: Page, id: string) => page.locator(`#${id}`);
const codeField = (page: Page, form: string) =>
  part(page, form).getByLabel("Code from your authenticator app");

/** What the next code of an app is: each counts once. */
function nextCode(secret: string): string {
  clock.advance(30);
  return codeOf(secret);
}

/** A page where somebody has just registered, whose address is proven. */
async function openProven(permissions?: string[]) {
  const account = createAccount();
  const page = await site.open(permissions);
  await enter(page, "register", account);
  await prove(account);
  await page.reload();
  return { page, account };
}

/** Proves the address of an account, without a mail. */
async function prove({ email }: Account): Promise<void> {
  const { userId } = (await database.find("identities", { identity: `email:${email}` })) ?? {};
  await database.change("users", { userId }, { emailVerifiedAt: clock.now });
}

/** Sets up an app as far as its first code, and gives its key. */
async function confirmApp(page: Page): Promise<string> {
  await click(page, "Set it up");
  const field = part(page, "confirm-totp").getByLabel("Code that the app shows now");
  await field.waitFor();
  const secret = ((await part(page, "totp-secret").textContent()) ?? "").replaceAll(" ", "");
  await field.fill(codeOf(secret));
  await click(page, "Turn it on");
  await says(page, "The authenticator app is set up.");
  return secret;
}

/** Sets up an app, and gives its key and the recovery codes. */
async function setUpApp(page: Page) {
  const secret = await confirmApp(page);
  const recoveryCodes = await part(page, "codes-list").locator("li").allTextContents();
  await click(page, "I have saved them");
  return { secret, recoveryCodes };
}

async function openOwner() {
  const { page, account } = await openProven();
  return { page, account, ...(await setUpApp(page)) };
}

test("an address that is not proven is proven by mail first; before that nothing else can open the account", async () => {
  const page = await site.open();
  const account = createAccount();
  await enter(page, "register", account);
  await page.getByRole("heading", { name: "Is this address yours?" }).waitFor();
  await part(page, "factor").getByText("First prove that your e-mail address is yours").waitFor();
  expect(await part(page, "start-totp").isVisible()).toBe(false);
  expect(await part(page, "add-passkey").isVisible()).toBe(false);
  await expectAccessible(page, "unproven");
  await click(page, "Prove it by mail");
  expect(await focused(page)).toBe("ask-email-password");
  await part(page, "ask-email").getByLabel("Password").fill(account.password);
  await click(page, "Mail a code there");
  await page.getByText(`Look into the mail of ${account.email}`).waitFor();
  // A reload takes the form for the code not away.
  await page.reload();
  await page.getByText(`Look into the mail of ${account.email}`).waitFor();
  await part(page, "confirm-email")
    .getByLabel("Code")
    .fill(await site.mailbox.receiveCode(account.email));
  await click(page, "Confirm it");
  await says(page, "It is proven that the address is yours.");
  await part(page, "start-totp").waitFor();
  expect(await part(page, "unproven").isVisible()).toBe(false);
});

test("O14 O18 an app is set up with a QR code or its key; the recovery codes are shown once, to be copied and kept", async () => {
  const { page } = await openProven(["clipboard-read", "clipboard-write"]);
  const answered = page.waitForResponse("**/auth/totp");
  await click(page, "Set it up");
  const { uri, secret } = await (await answered).json();
  await page.getByText(secret.replace(/....(?=.)/g, "$& ")).waitFor();
  expect(await focused(page)).toBe("totp-heading");
  expect(await readCode(page)).toBe(drawCode(uri));
  await expectAccessible(page, "totp-set-up");

  const field = part(page, "confirm-totp").getByLabel("Code that the app shows now");
  await field.fill("000000");
  await click(page, "Turn it on");
  await page.locator("#confirm-totp-otp-error").getByText("This code is wrong.").waitFor();
  expect(await focused(page)).toBe("confirm-totp-otp");
  await expectAccessible(page, "totp-wrong-code");
  await field.fill(codeOf(secret));
  await click(page, "Turn it on");
  await says(page, "The authenticator app is set up.");
  expect(await focused(page)).toBe("codes-heading");
  const codes = await part(page, "codes-list").locator("li").allTextContents();
  expect(new Set(codes).size).toBe(10);
  await expectAccessible(page, "recovery-codes");

  const text = codes.map((code) => `${code}\n`).join("");
  await click(page, "Copy");
  await says(page, "Copied.");
  expect(await page.evaluate("navigator.clipboard.readText()")).toBe(text);
  const [download] = await Promise.all([page.waitForEvent("download"), click(page, "Download")]);
  expect(download.suggestedFilename()).toBe("recovery-codes.txt");
  expect((await buffer(await download.createReadStream())).toString()).toBe(text);
  await click(page, "I have saved them");
  expect(await focused(page)).toBe("factor-heading");
  await part(page, "factor").getByText("10 of 10 recovery codes left.").waitFor();
  expect(await page.content()).not.toContain(codes[0]);
  expect(await page.content()).not.toContain(secret.slice(0, 4));
  await expectAccessible(page, "totp-on");
});

/** The QR code of a text, line by line, with its margin. */
function drawCode(text: string): string {
  const code = generate(text);
  const places = Array.from({ length: code.size + 8 }, (_, index) => index - 4);
  return places.flatMap((y) => places.map((x) => (code.get(x, y) ? "1" : "0"))).join("");
}

/** The one that the page shows. */
const readCode = (page: Page) =>
  page.evaluate(`(() => {
    const canvas = document.querySelector("#totp-qr");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return Array.from({ length: data.length / 4 }, (_, i) => (data[4 * i] === 0 ? "1" : "0")).join("");
  })()`);

test("a login with the app: the field comes when it is asked for, and what was typed stays; then with a recovery code", async () => {
  const { page, account, secret, recoveryCodes } = await openOwner();
  await click(page, "Log out");
  await submit(page, "login", account);
  await codeField(page, "login").waitFor();
  expect(await focused(page)).toBe("login-otp");
  expect(await codeField(page, "login").getAttribute("inputmode")).toBe("numeric");
  expect(await codeField(page, "login").getAttribute("autocomplete")).toBe("one-time-code");
  expect(await part(page, "login-password").inputValue()).toBe(account.password);
  await expectAccessible(page, "login-code");
  await codeField(page, "login").fill("000000");
  await page.keyboard.press("Enter");
  await page.locator("#login-otp-error").getByText("This code is wrong.").waitFor();
  expect(await focused(page)).toBe("login-otp");
  await expectAccessible(page, "login-wrong-code");
  await codeField(page, "login").fill(nextCode(secret));
  await page.keyboard.press("Enter");
  await isLoggedIn(page, account);

  await click(page, "Log out");
  expect(await part(page, "login").locator(".otp").count()).toBe(0);
  await submit(page, "login", account);
  await click(page, "Use a recovery code instead");
  expect(await focused(page)).toBe("login-otp");
  await part(page, "login")
    .getByLabel("Recovery code")
    .fill(recoveryCodes[0]?.toUpperCase() ?? "");
  await page.keyboard.press("Enter");
  await isLoggedIn(page, account);
  await says(page, "Logged in. 9 of 10 recovery codes are left.");
  await part(page, "factor").getByText("9 of 10 recovery codes left.").waitFor();
});

test("O25 the password, the address and the account are changed with a code, too", async () => {
  const { page, account, secret } = await openOwner();
  const answer = async (form: string) => {
    await part(page, form).locator("[type=submit]").click();
    await codeField(page, form).fill(nextCode(secret));
    await part(page, form).locator("[type=submit]").click();
  };
  const password = `${account.password} 2`;
  await part(page, "password").getByLabel("Current password").fill(account.password);
  await part(page, "password").getByLabel("New password").fill(password);
  await answer("password");
  await says(page, "The password is changed");
  await part(page, "ask-email").getByLabel("New e-mail address").fill("elsewhere@example.com");
  await part(page, "ask-email").getByLabel("Password").fill(password);
  await answer("ask-email");
  await page.getByText("Look into the mail of elsewhere@example.com").waitFor();
  await part(page, "delete").getByLabel("Password").fill(password);
  await answer("delete");
  await says(page, "The account and all its sessions are gone.");
});

test("O20 O33 what needs a login of just now asks for one, and goes on; whoever closes that changes nothing", async () => {
  const { page, account, secret, recoveryCodes } = await openOwner();
  const dialog = page.getByRole("dialog", { name: "Is it still you?" });
  // The app counts, and this session was opened without.
  await click(page, "New recovery codes");
  await dialog.waitFor();
  expect(await focused(page)).toBe("step-up-password");
  await expectAccessible(page, "step-up");
  await page.keyboard.press("Escape");
  await says(page, "Nothing was changed.");
  expect(await focused(page)).toBe("renew-codes");

  await click(page, "New recovery codes");
  await dialog.getByLabel("Password").fill("not the right password");
  await dialog.getByRole("button", { name: "Go on" }).click();
  await page.locator("#step-up-password-error").getByText("password is wrong").waitFor();
  await dialog.getByLabel("Password").fill(account.password);
  await dialog.getByRole("button", { name: "Go on" }).click();
  await codeField(page, "step-up-form").fill(nextCode(secret));
  await expectAccessible(page, "step-up-code");
  await dialog.getByRole("button", { name: "Go on" }).click();
  await says(page, "The old recovery codes no longer work.");
  expect(await focused(page)).toBe("codes-heading");
  const renewed = await part(page, "codes-list").locator("li").allTextContents();
  expect(renewed.filter((code) => recoveryCodes.includes(code))).toEqual([]);
  await click(page, "I have saved them");

  clock.advance(301);
  await click(page, "Switch it off");
  await dialog.getByLabel("Password").fill(account.password);
  await dialog.getByRole("button", { name: "Go on" }).click();
  await codeField(page, "step-up-form").fill(renewed[0] ?? "");
  await dialog.getByRole("button", { name: "Go on" }).click();
  await says(page, "The app is switched off.");
  await click(page, "Log out");
  await enter(page, "login", account);
});

test("where the session ends while the dialog is open, what has ended is said", async () => {
  const { page } = await openOwner();
  await click(page, "New recovery codes");
  await page.getByRole("dialog").waitFor();
  const tab = await openPage(page.context(), site.url);
  await click(tab, "Log out");
  await says(page, "Logged out in another tab.");
  // What waited for the dialog has ended, too.
  await page.locator("#renew-codes:not([aria-disabled])").waitFor({ state: "attached" });
  expect(await part(page, "notice").textContent()).toBe("Logged out in another tab.");
});

test("a passkey of another account, where the list of passkeys is not known: nothing is done to that account", async () => {
  const { page, account: other } = await openProven();
  await page.addInitScript("PublicKeyCredential.isConditionalMediationAvailable = undefined");
  await page.reload();
  await addAuthenticator(page.context(), page);
  await click(page, "Add a passkey");
  await says(page, "The passkey is added.");
  await click(page, "Log out");
  await page.route(`${site.url}/auth/passkeys`, (route) => route.fulfill({ status: 503, json: {} }));
  const account = createAccount();
  await enter(page, "register", account);
  await prove(account);
  await page.reload();
  clock.advance(301);
  await click(page, "Set it up");
  await page.getByRole("dialog").getByRole("button", { name: "Use a passkey" }).click();
  await isLoggedIn(page, other);
  await page.locator("#start-totp:not([aria-disabled])").waitFor({ state: "attached" });
  expect(await part(page, "totp").isVisible()).toBe(false);
});

test("O21 whoever sets an app up is asked whether the other sessions shall end", async () => {
  const { page, account } = await openProven();
  await enter(await site.open(), "login", account);
  await page.reload();
  await page.getByText("Another session").waitFor();
  await confirmApp(page);
  await part(page, "codes").getByRole("button", { name: "End all others" }).click();
  await says(page, "All other sessions have ended.");
  expect(await page.getByText("Another session").count()).toBe(0);
});

test("P18 passkeys are added, named, sign in by autofill and by the button, prove a login once more, and are removed", async () => {
  const { page, account, secret } = await openOwner();
  const { cdp, authenticatorId } = await addAuthenticator(page.context(), page);
  await part(page, "add-passkey").getByLabel("Name of the new passkey").fill("My laptop");
  await click(page, "Add a passkey");
  const dialog = page.getByRole("dialog", { name: "Is it still you?" });
  await dialog.getByLabel("Password").fill(account.password);
  await dialog.getByRole("button", { name: "Go on" }).click();
  await codeField(page, "step-up-form").fill(nextCode(secret));
  await dialog.getByRole("button", { name: "Go on" }).click();
  await says(page, "The passkey is added.");
  await part(page, "passkeys").getByText("My laptop").waitFor();
  await click(page, "Add a passkey");
  await part(page, "add-passkey").getByRole("alert").getByText("This device has a passkey").waitFor();
  await page.getByRole("button", { name: "Rename: My laptop" }).click();
  const name = part(page, "passkeys-list").getByLabel("Name");
  expect(await name.inputValue()).toBe("My laptop");
  await expectAccessible(page, "passkey-name");
  await name.fill("Old laptop");
  await click(page, "Keep the name");
  await says(page, "The passkey has that name now.");
  expect(await focused(page)).toBe("passkeys-heading");
  await expectAccessible(page, "passkeys");

  // The browser fills it in at once, where its user need not be asked.
  await click(page, "Log out");
  await says(page, "Logged in.");
  await isLoggedIn(page, account);
  await part(page, "passkeys").getByText("last used").waitFor();

  clock.advance(301);
  await page.getByRole("button", { name: "Remove: Old laptop" }).click();
  await dialog.waitFor();
  await expectAccessible(page, "step-up-passkey");
  await dialog.getByRole("button", { name: "Use a passkey" }).click();
  await says(page, "The passkey is removed");
  expect(await focused(page)).toBe("passkeys-heading");
  expect(await part(page, "passkeys-list").locator("li").count()).toBe(0);
  expect((await cdp.send("WebAuthn.getCredentials", { authenticatorId })).credentials).toEqual([]);
});

test("where browsers fill in no passkeys the button signs in, and says why it does not", async () => {
  const { page, account } = await openProven();
  await page.addInitScript("PublicKeyCredential.isConditionalMediationAvailable = undefined");
  await page.reload();
  const { cdp, authenticatorId } = await addAuthenticator(page.context(), page);
  await click(page, "Add a passkey");
  await says(page, "The passkey is added.");
  await click(page, "Log out");
  await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
  await click(page, "Log in with a passkey");
  await says(page, "The passkey's dialog was ended.");
  await expectAccessible(page, "passkey-cancelled");
  await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
  await click(page, "Log in with a passkey");
  await isLoggedIn(page, account);
});

test("a passkey that is gone is told, and the browser offers it no more", async () => {
  const { page, account } = await openProven();
  const { cdp, authenticatorId } = await addAuthenticator(page.context(), page);
  await click(page, "Add a passkey");
  await says(page, "The passkey is added.");
  const { userId } = (await database.find("identities", { identity: `email:${account.email}` })) ?? {};
  await database.change("users", { userId }, { passkeys: {} });
  await click(page, "Log out");
  await says(page, "passkey");
  await expectAccessible(page, "passkey-unknown");
  expect((await cdp.send("WebAuthn.getCredentials", { authenticatorId })).credentials).toEqual([]);
  await enter(page, "login", account);
});

test("what the account has cannot be read: it is said there, and asked for again", async () => {
  const { page } = await openProven();
  for (const path of ["account", "passkeys"])
    await page.route(`${site.url}/auth/${path}`, (route) => route.fulfill({ status: 503, json: {} }));
  await page.reload();
  await part(page, "factor").getByRole("alert").getByText("overloaded").waitFor();
  await expectAccessible(page, "factor-trouble");
  await page.unrouteAll();
  await click(page, "Ask again");
  await part(page, "start-totp").waitFor();
});

test("a visitor who never logged in here has no error in the console, whatever tab comes back", async () => {
  const page = await site.open();
  const errors: string[] = [];
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  await page.reload();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
  const account = createAccount();
  await enter(page, "register", account);
  await click(page, "Log out");
  await says(page, "Logged out.");
  await page.reload();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  expect(errors).toEqual([]);
});
