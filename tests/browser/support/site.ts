import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { afterAll } from "@jest/globals";
import type { BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { type Item, startDatabase } from "../../support/database.ts";
import { tableSettings } from "../../support/declared.ts";
import { createInvite } from "../../support/invite.ts";
import { npmStart } from "../../support/npm-start.ts";
import { createFolder, removeFolder } from "../../support/project.ts";
import { startWire } from "../../support/wire.ts";
import { type Laptop, startLaptop } from "./chromium.ts";
import { startNetwork } from "./network.ts";

/** An account as somebody types it in. */
export interface Account {
  email: string;
  password: string;
}

export const createAccount = (): Account => ({
  email: `${randomUUID().slice(0, 8)}@example.com`,
  password: `correct horse ${randomUUID()}`,
});

/** Starts `npm start` with these settings, a network and an engine that a test can watch and break, and a browser. */
export async function startSite(settings: Record<string, string> = {}) {
  const folder = createFolder();
  const database = await startDatabase();
  const wire = await startWire(database);
  const started = await npmStart(process.cwd(), {
    LOCAL_DIR: folder,
    DYNAMODB_ENDPOINT: wire.endpoint,
    ...tableSettings,
    ...settings,
  });
  const network = await startNetwork(started.url);
  const laptops: Laptop[] = [];

  async function openLaptop(): Promise<Laptop> {
    const laptop = await startLaptop();
    laptops.push(laptop);
    return laptop;
  }

  const ownLaptop = await openLaptop();

  /** Another browser: cookies and storage of its own. */
  async function openBrowser(options: BrowserContextOptions = {}, on = ownLaptop): Promise<BrowserContext> {
    const context = await on.browser.newContext({ locale: "en-GB", timezoneId: "UTC", ...options });
    // A busy machine may take long, and no time is measured here.
    context.setDefaultTimeout(120_000);
    return context;
  }

  const open = async (options?: BrowserContextOptions) => openPage(await openBrowser(options), network.url);

  afterAll(async () => {
    for (const laptop of laptops) await laptop.close();
    await network.stop();
    await started.interrupt();
    await wire.stop();
    await database.stop();
    removeFolder(folder);
  });

  return {
    ...{
      url: network.url,
      apiUrl: started.url,
      network,
      output: started.output,
      openLaptop,
      openBrowser,
      open,
    },

    /** A page in a browser of its own, where somebody has just registered. */
    async openLoggedIn(account = createAccount(), context?: BrowserContext): Promise<Page> {
      const page = await (context ? openPage(context, network.url) : open());
      await enter(page, "register", account);
      return page;
    },

    async sessionsOf({ email }: Account): Promise<Item[]> {
      const entry = await database.find("identities", { identity: `email:${email}` });
      return entry ? database.sessionsOf(entry.userId) : [];
    },

    /** Has an operator invite somebody. */
    invite: createInvite({ database }),

    /** What the link of the last mail to somebody opens here, and the code in it; waits for the mail. */
    async mailTo(email: string, kind: string): Promise<{ url: string; code: string }> {
      const pattern = new RegExp(`^Mail to ${email}: .* \\S+(#kind=${kind}&(?:code|token)=(\\S+)) \\(`, "gm");
      for (;;) {
        const [, fragment, code = ""] = [...started.output().matchAll(pattern)].at(-1) ?? [];
        if (fragment) return { url: `${network.url}/${fragment}`, code };
        await setTimeout(20);
      }
    },

    /** How many rotations of a session the engine has applied so far. */
    rotationsOf: (sessionId: string): number =>
      wire.requests.filter(
        ({ isApplied, parameters: { Key, ExpressionAttributeValues } }) =>
          isApplied && Key?.sessionId?.S === sessionId && ExpressionAttributeValues?.[":successor"],
      ).length,
  };
}

export const click = (page: Page, name: string): Promise<void> =>
  page.getByRole("button", { name, exact: true }).click();

/** Waits until the page says this, where screen readers hear it, too. */
export const says = (page: Page, text: string): Promise<void> =>
  page.getByRole("status").getByText(text).waitFor();

/** Opens the page in a tab of its own and waits until it knows who is there. */
export async function openPage(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(url);
  await page.locator("#signed-in, #signed-out").filter({ visible: true }).waitFor();
  return page;
}

/** Fills in and sends one of the page's first two forms. */
export async function submit(page: Page, form: FormName, { email, password }: Account): Promise<void> {
  const fields = page.locator(`#${form}`);
  await fields.getByLabel("E-mail address").fill(email);
  await fields.getByLabel("Password").fill(password);
  await fields.locator("button[type=submit]").click();
}

type FormName = "login" | "register";

/** The same, and waits until it has logged in. */
export async function enter(page: Page, form: FormName, account: Account): Promise<void> {
  await submit(page, form, account);
  await isLoggedIn(page, account);
}

/** Waits until the page says who is logged in. */
export const isLoggedIn = (page: Page, { email }: Pick<Account, "email">): Promise<void> =>
  page.getByRole("heading", { name: `Logged in as ${email}` }).waitFor();

export const focused = (page: Page) => page.evaluate("document.activeElement.id");
