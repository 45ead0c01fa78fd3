import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import type { CDPSession, Page } from "playwright-core";
import { addAuthenticator } from "./support/held-site.ts";
import { type Account, createAccount, startSite } from "./support/site.ts";

// The ceremonies of Chromium with its virtual authenticator, through the client as it is built. Without mail no address has to
// be proven.
const site = await startSite({ MAIL_FROM: "" });

interface Passkey {
  passkeyId: string;
}

/** A page of the API's own origin with the client in it, and an authenticator. */
async function open() {
  const context = await site.openBrowser();
  const page = await context.newPage();
  // The page's own script uses passkeys, too.
  await page.route("**/page.js", (route) => route.abort());
  await page.goto(site.apiUrl);
  const { cdp, authenticatorId } = await addAuthenticator(context, page);
  await loadClient(page);
  return { page, cdp, authenticatorId };
}

/** Loads the built client from the page's own origin, as its CSP asks for. */
async function loadClient(page: Page): Promise<void> {
  await page.route("**/client/*.js", (route) => {
    const name = new URL(route.request().url()).pathname.split("/").at(-1);
    const body = readFileSync(`.local/test/client/${name}`, "utf8");
    return route.fulfill({ contentType: "text/javascript", body });
  });
  await page.evaluate(`(async () => {
    const { createAuthClient } = await import("/client/auth-client.js");
    const { createPasskeyClient } = await import("/client/passkeys.js");
    const auth = createAuthClient();
    globalThis.client = { ...createPasskeyClient(auth), auth };
  })()`);
}

/** What rejects with a problem gives its code. */
const codeOf = (result: Promise<unknown>): Promise<string> =>
  result.then(
    () => "done",
    (error: Error) => /code=(\w+)/.exec(error.message)?.[1] ?? error.message,
  );

const run = <T>(page: Page, code: string): Promise<T> =>
  page.evaluate(
    `(async () => { try { return await (${code}); } catch (e) { throw new Error("code=" + e.code); } })()`,
  );
const credentialsOf = async (cdp: CDPSession, authenticatorId: string) =>
  (await cdp.send("WebAuthn.getCredentials", { authenticatorId })).credentials;

/** The same with somebody logged in. */
async function openLoggedIn(account: Account = createAccount()) {
  const opened = await open();
  const credentials = JSON.stringify(account);
  await run(
    opened.page,
    `client.auth.register(${credentials}).then(() => client.auth.login(${credentials}))`,
  );
  return { ...opened, account };
}

test("P15 a passkey is made, signs in without a name, is told from others, renamed and removed", async () => {
  const { page, cdp, authenticatorId, account } = await openLoggedIn();
  const added = await run<Passkey>(page, 'client.addPasskey({ name: "Laptop" })');
  expect(added).toMatchObject({
    name: "Laptop",
    isBackedUp: true,
    transports: ["internal"],
    lastUsedAt: null,
  });
  const [credential] = await credentialsOf(cdp, authenticatorId);
  expect(credential).toMatchObject({
    rpId: "localhost",
    isResidentCredential: true,
    userName: account.email,
  });
  // The same device again.
  expect(await codeOf(run(page, "client.addPasskey()"))).toBe("passkey_exists");

  await run(page, "client.auth.logout()");
  await run(page, "client.signInWithPasskey()");
  expect(await run(page, "client.auth.me()")).toMatchObject({
    ...{ email: account.email, amr: ["pop", "user", "mfa"], acr: "aal2" },
  });
  await run(page, `client.renamePasskey("${added.passkeyId}", "Old laptop")`);
  const [listed] = await run<Passkey[]>(page, "client.passkeys()");
  expect(listed).toMatchObject({ name: "Old laptop", lastUsedAt: expect.any(Number) });

  await run(page, `client.removePasskey("${added.passkeyId}")`);
  await run(page, "client.auth.logout()");
  // The browser is told that it is gone, and forgets it.
  expect(await codeOf(run(page, "client.signInWithPasskey()"))).toBe("unknown_passkey");
  expect(await credentialsOf(cdp, authenticatorId)).toEqual([]);
});

test("P17 a list tells the browser which passkeys there are, and one that fails to load tells nothing", async () => {
  const { page, cdp, authenticatorId } = await openLoggedIn();
  const { passkeyId } = await run<Passkey>(page, "client.addPasskey()");
  const away = { status: 503, contentType: "application/problem+json", body: '{"code":"unavailable"}' };
  await page.route("**/auth/passkeys", (route) => route.fulfill(away), { times: 1 });
  expect(await codeOf(run(page, "client.passkeys()"))).toBe("unavailable");
  expect(await credentialsOf(cdp, authenticatorId)).toHaveLength(1);
  await run(page, "client.passkeys()");
  expect(await credentialsOf(cdp, authenticatorId)).toHaveLength(1);
  await run(page, `client.removePasskey("${passkeyId}")`);
  await run(page, "client.passkeys()");
  expect(await credentialsOf(cdp, authenticatorId)).toEqual([]);
});

test("P17 a list that was asked for before a passkey was added does not hide it", async () => {
  const { page, cdp, authenticatorId } = await openLoggedIn();
  const [arrived, added] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  await page.route(
    "**/auth/passkeys",
    async (route) => {
      const response = await route.fetch();
      arrived.resolve();
      await added.promise;
      await route.fulfill({ response });
    },
    { times: 1 },
  );
  const listing = run<Passkey[]>(page, "client.passkeys()");
  await arrived.promise;
  await run(page, "client.addPasskey()");
  added.resolve();
  expect(await listing).toEqual([]);
  expect(await credentialsOf(cdp, authenticatorId)).toHaveLength(1);
});

test("autofill signs in", async () => {
  const { page, account } = await openLoggedIn();
  await run(page, "client.addPasskey()");
  await run(page, "client.auth.logout()");
  await run(page, "client.signInWithPasskey({ conditional: true })");
  expect(await run(page, "client.auth.me()")).toMatchObject({ email: account.email });
});

test("P19 a page that waits for autofill has a new challenge before the one before is too old", async () => {
  const { page, cdp, authenticatorId, account } = await openLoggedIn();
  await run(page, "client.addPasskey()");
  await run(page, "client.auth.logout()");
  await cdp.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled: false });
  let asked = 0;
  await page.route("**/auth/login/challenge", async (route) => {
    // Somebody is there from the second challenge on: the first one cannot be signed any more.
    if (++asked === 2)
      await cdp.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled: true });
    await route.continue();
  });
  await page.clock.install();
  const first = page.waitForResponse("**/auth/login/challenge");
  const waiting = run(page, "client.signInWithPasskey({ conditional: true })");
  await first;
  await page.clock.fastForward(541_000);
  await waiting;
  expect(asked).toBe(2);
  expect(await run(page, "client.auth.me()")).toMatchObject({ email: account.email });
});

test("P18 what waits for autofill gives way to another ceremony, and ends with its signal", async () => {
  const { page, account } = await openLoggedIn();
  const waiting = codeOf(run(page, "client.signInWithPasskey({ conditional: true })"));
  await run(page, "client.addPasskey()");
  expect(await waiting).toBe("passkey_cancelled");
  await run(page, "client.auth.logout()");
  const aborted = run(page, "client.signInWithPasskey({ signal: AbortSignal.abort() })");
  expect(await codeOf(aborted)).toBe("passkey_cancelled");
  await run(page, "client.signInWithPasskey()");
  expect(await run(page, "client.auth.me()")).toMatchObject({ email: account.email });
});
