import { expect, test } from "@jest/globals";
import type { Page } from "playwright-core";
import { createSandbox } from "../support/sandbox.ts";
import { slsSync } from "../support/sls.ts";
import {
  type Account,
  click,
  createAccount,
  enter,
  focused,
  isLoggedIn,
  openPage,
  says,
  startSite,
} from "./support/site.ts";
import { expectAccessible } from "./support/states.ts";

// Without passkeys and providers: a robot that presses their buttons has the browser wait for somebody, or goes elsewhere.
const site = await startSite({
  REGISTRATION: "verified",
  EMAIL_LOGIN: "on",
  PASSKEY_RP_ID: "",
  IDENTITY_PROVIDERS: "",
});

/** What is done with a mailed code: how somebody comes to the form that takes it, and how it is done there. */
interface Flow {
  /** Gives the account, and to where the mail goes. */
  begin(page: Page): Promise<{ account: Account; to: string }>;
  finish(page: Page, account: Account, to: string): Promise<void>;
}

const flows: Record<string, Flow> = {
  register: {
    async begin(page) {
      const account = createAccount();
      await page.locator("#ask-register").getByLabel("E-mail address").fill(account.email);
      await ask(page, "ask-register", account.email);
      return { account, to: account.email };
    },
    async finish(page, account) {
      await form(page, "register").getByLabel("Password").fill(account.password);
      await click(page, "Register and log in");
      await says(page, "Registered and logged in.");
      await isLoggedIn(page, account);
    },
  },
  reset: {
    async begin(page) {
      const account = await registerAndLeave(page);
      await click(page, "Forgot your password?");
      await ask(page, "forgot", account.email);
      return { account, to: account.email };
    },
    async finish(page, { email }) {
      const { password } = createAccount();
      await form(page, "reset").getByLabel("New password").fill(password);
      await click(page, "Set it");
      await says(page, "The password is set, and all sessions have ended.");
      // The tab that asked knows the address still.
      const kept = await page.locator("#login-email").inputValue();
      expect([kept, await focused(page)]).toEqual(kept ? [email, "login-password"] : ["", "login-heading"]);
      await enter(page, "login", { email, password });
    },
  },
  login: {
    async begin(page) {
      const account = await registerAndLeave(page);
      await click(page, "Log in with a code by mail");
      await ask(page, "ask-login", account.email);
      return { account, to: account.email };
    },
    async finish(page, account) {
      await form(page, "login").locator("button[type=submit]").click();
      await says(page, "Logged in.");
      await isLoggedIn(page, account);
    },
  },
  email: {
    async begin(page) {
      const account = await register(page);
      const { email: to } = createAccount();
      const fields = page.locator("#ask-email");
      await fields.getByLabel("New e-mail address").fill(to);
      await fields.getByLabel("Password").fill(account.password);
      await ask(page, "ask-email", to);
      return { account, to };
    },
    async finish(page, _account, email) {
      await form(page, "email").locator("button[type=submit]").click();
      await says(page, "The address is changed, and all other sessions have ended.");
      await isLoggedIn(page, { email });
    },
  },
};
const kinds = Object.keys(flows);
const flowOf = (kind: string) => flows[kind] as Flow;

/** The part of the page that takes a code of this kind, or a token. */
const form = (page: Page, kind: string) => page.locator(`#mail-${kind}`);
const codeField = (page: Page, kind: string) => form(page, kind).getByLabel("Code from the mail");

/** A code as the mail has it. */
const grouped = (code: string) => code.replace(/...(?=.)/g, "$&-");

/** Sends a form that asks for a code, and waits until the page says where the mail is. */
async function ask(page: Page, id: string, to: string): Promise<void> {
  await page.locator(`#${id}`).locator("button[type=submit]").click();
  await page.getByText(`Look into the mail of ${to}`).filter({ visible: true }).waitFor();
}

/** Registers somebody, who is logged in then. */
async function register(page: Page): Promise<Account> {
  const { account, to } = await flowOf("register").begin(page);
  await codeField(page, "register").fill((await site.mailTo(to, "register")).code);
  await flowOf("register").finish(page, account, to);
  return account;
}

/** Registers somebody who logs out and types the address at the login. */
async function registerAndLeave(page: Page): Promise<Account> {
  const account = await register(page);
  await click(page, "Log out");
  await page.locator("#login").getByLabel("E-mail address").fill(account.email);
  return account;
}

/** Comes to the form that takes a code, and reads the mail. */
async function begin(kind: string) {
  const page = await site.open();
  const { account, to } = await flowOf(kind).begin(page);
  const finish = (where: Page) => flowOf(kind).finish(where, account, to);
  return { page, account, finish, ...(await site.mailTo(to, kind)) };
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
  await page.locator("#signed-in, #signed-out").filter({ visible: true }).waitFor();
  return requests;
}

/** Opens a link in a browser that has asked for nothing, and presses every button there: nothing is sent. */
async function openAsRobot(url: string): Promise<Page> {
  const page = await (await site.openBrowser()).newPage();
  const requests = await follow(page, url);
  expect(page.url()).toBe(`${site.url}/`);
  const buttons = page.getByRole("button");
  for (let index = 0; index < (await buttons.count()); index++) await buttons.nth(index).click();
  await page.getByText("assword is missing.").filter({ visible: true }).first().waitFor();
  expect(requests.filter((each) => !each.startsWith("GET ") && !isOwn(each))).toEqual([]);
  return page;
}

test.each(kinds)(
  "F17 V05 L06 %s: a mail that is opened in the browser that asked has the code filled in, and it is gone from the address",
  async (kind) => {
    const { page, url, code, finish } = await begin(kind);
    const tab = await page.context().newPage();
    const requests = await follow(tab, url);
    expect(tab.url()).toBe(`${site.url}/`);
    expect(await tab.evaluate("history.length")).toBe(2); // about:blank, and this page
    expect(await codeField(tab, kind).inputValue()).toBe(grouped(code));
    expect(await focused(tab)).toBe(`mail-${kind}-heading`);
    // Of this origin only, named to nobody, and nothing sent.
    for (const request of requests.filter((each) => !isOwn(each)))
      expect(request).toMatch(/^GET http:\/\/localhost:\d+\/\S* -$/);
    expect(requests.join()).not.toContain(code);
    await expectAccessible(tab, `mail-${kind}`);
    await finish(tab);
    // The tab that has asked need not wait any more.
    await form(page, kind).waitFor({ state: "hidden" });
  },
);

test.each(kinds)(
  "V05 V04 L04 %s: a mail that is opened in another browser shows the code to be typed; a robot that presses everything there sends nothing",
  async (kind) => {
    const { page, url, code, finish } = await begin(kind);
    const other = await openAsRobot(url);
    expect(await other.locator("#elsewhere-code").textContent()).toBe(grouped(code));
    await codeField(page, kind).fill(grouped(code));
    await finish(page);
  },
);

test("N11 N13 a change of address is undone by the link in the mail to the address before, in another browser; not by a robot", async () => {
  const { page, account, finish, code } = await begin("email");
  await codeField(page, "email").fill(code);
  await finish(page);
  const { url } = await site.mailTo(account.email, "undo");
  const other = await openAsRobot(url);
  await follow(other, url);
  await expectAccessible(other, "mail-undo");
  const { password } = createAccount();
  await form(other, "undo").getByLabel("New password").fill(password);
  await click(other, "Take it back");
  await says(other, "The account has this address again, and all sessions have ended.");
  expect(await site.sessionsOf(account)).toEqual([]);
  await enter(other, "login", { ...account, password });
});

test("U07 whoever is invited opens the account by the link in the mail, which a robot cannot", async () => {
  const { email, password } = createAccount();
  await site.invite(email);
  const { url } = await site.mailTo(email, "invitation");
  const page = await openAsRobot(url);
  await follow(page, url);
  expect(await focused(page)).toBe("mail-invitation-heading");
  await expectAccessible(page, "mail-invitation");
  await form(page, "invitation").getByLabel("Password").fill(password);
  await form(page, "invitation").locator("button[type=submit]").click();
  await says(page, "Registered and logged in.");
  await isLoggedIn(page, { email });
});

test("a reload takes no form away that waits for a code; in another tab there is none", async () => {
  const { page, finish, code } = await begin("reset");
  await page.reload();
  await page.getByText("Look into the mail of").filter({ visible: true }).waitFor();
  expect(await focused(page)).toBe("mail-reset-heading");
  const tab = await openPage(page.context(), site.url);
  expect(await form(tab, "reset").isVisible()).toBe(false);
  await codeField(page, "reset").fill(code);
  await finish(page);
  await page.reload();
  await page.locator("#signed-in").waitFor();
  expect(await form(page, "reset").isVisible()).toBe(false);
});

test("another code begins with an empty form, and what was being waited for is not said any more", async () => {
  const page = await site.open();
  const account = await registerAndLeave(page);
  await click(page, "Forgot your password?");
  await ask(page, "forgot", account.email);
  await codeField(page, "reset").fill("000-000-000");
  await form(page, "reset").getByLabel("New password").fill(account.password);
  await form(page, "reset").locator("button[type=submit]").click();
  await form(page, "reset").locator(".error:not(:empty)").first().waitFor();
  await click(page, "Forgot your password?");
  await ask(page, "forgot", account.email);
  expect(await codeField(page, "reset").inputValue()).toBe("");
  expect(await form(page, "reset").locator(".error:not(:empty)").count()).toBe(0);
  expect(await page.locator("#notice").textContent()).toBe("");
});

test("the account's own address is proven by a code, and every session goes on", async () => {
  const page = await site.open();
  const account = await register(page);
  const fields = page.locator("#ask-email");
  await fields.getByLabel("New e-mail address").fill(account.email);
  await fields.getByLabel("Password").fill(account.password);
  await ask(page, "ask-email", account.email);
  await codeField(page, "email").fill((await site.mailTo(account.email, "email")).code);
  await form(page, "email").locator("button[type=submit]").click();
  await says(page, "It is proven that the address is yours.");
});

test("a link that is pasted into the address bar of the page that asked is taken, too", async () => {
  const { page, url, code, finish } = await begin("reset");
  await page.evaluate(`location.href = ${JSON.stringify(url)}`);
  await form(page, "reset").getByText("The link has brought the code.").waitFor();
  expect(page.url()).toBe(`${site.url}/`);
  expect(await codeField(page, "reset").inputValue()).toBe(grouped(code));
  await finish(page);
});

test.each(kinds)(
  "%s: a wrong code is told where it was typed, and so is the first character of the right one",
  async (kind) => {
    const { page, code, finish, account } = await begin(kind);
    const [first = ""] = code;
    const refusals = [
      [first === "K" ? "W" : "K", `The code begins with ${first}.`],
      [first, "The code is not right."],
    ];
    for (const [begins, text = ""] of refusals) {
      await codeField(page, kind).fill(`${begins}00-000-000`);
      for (const field of await form(page, kind).getByLabel("assword").all())
        await field.fill(account.password);
      await form(page, kind).locator("button[type=submit]").click();
      await form(page, kind).locator(".error").getByText(text).waitFor();
      expect(await focused(page)).toMatch(/-code$/);
    }
    await codeField(page, kind).fill(code);
    await finish(page);
  },
);

test("whoever is logged in elsewhere, or in this very browser, is logged out by the new password", async () => {
  const { page, account, url } = await begin("reset");
  const tab = await openPage(page.context(), site.url);
  await enter(tab, "login", account);
  await page.goto(url);
  await form(page, "reset").getByLabel("New password").fill(createAccount().password);
  await click(page, "Set it");
  await says(page, "The password is set, and all sessions have ended.");
  expect(await site.sessionsOf(account)).toEqual([]);
});

test.each([
  "#kind=reset",
  "#kind=reset&code=K4M",
  "#kind=reset&code=K4M-XQ2-T9%3C",
  "#kind=mailbox&code=K4MXQ2T9W",
  "#kind=undo",
])("a link that is not whole, %s, is told as one", async (fragment) => {
  const page = await site.open();
  await page.goto(`${site.url}/${fragment}`);
  await page.getByRole("heading", { name: "This link is incomplete" }).waitFor();
  expect(page.url()).toBe(`${site.url}/`);
});

const mail = { MAIL_FROM: "auth@example.com" };

test.each<[stage: string, settings: Record<string, string>, forms: string[]]>([
  ["without mail", {}, ["login", "register"]],
  ["without mail, closed", { REGISTRATION: "closed" }, ["login"]],
  ["with mail", mail, ["login", "to-forgot", "ask-register", "ask-email"]],
  [
    "with mail, open, sign-in by code",
    { ...mail, REGISTRATION: "open", EMAIL_LOGIN: "on" },
    ["login", "to-forgot", "to-by-code", "register", "ask-email"],
  ],
  ["with mail, closed", { ...mail, REGISTRATION: "closed" }, ["login", "to-forgot", "ask-email"]],
  ["with passkeys", { PASSKEY_RP_ID: "localhost" }, ["login", "to-passkey", "register"]],
])("a stage %s shows the forms of what it has, and no other", async (_stage, env, forms) => {
  const printed = JSON.parse(slsSync(["print", "--stage", "dev", "--format", "json"], { env }));
  const { ROUTES } = printed.functions.page.environment;
  const { REGISTRATION = "" } = printed.provider.environment;
  const sandbox = createSandbox({ STAGE: "dev", ISSUER: site.url, ROUTES, REGISTRATION });
  const { body = "" } = await sandbox.page({ path: "/" });
  const page = await (await site.openBrowser()).newPage();
  await page.route(`${site.url}/`, (route) => route.fulfill({ contentType: "text/html", body }));
  await follow(page, site.url);
  const shown = `[...document.querySelectorAll("form, #to-forgot, #to-by-code, #to-passkey")]
    .filter((each) => !each.closest("#mail, dialog, [hidden]:not(#signed-in)"))
    .map(({ id }) => id)`;
  const always = ["password", "delete"];
  expect(((await page.evaluate(shown)) as string[]).toSorted()).toEqual([...forms, ...always].toSorted());
});
