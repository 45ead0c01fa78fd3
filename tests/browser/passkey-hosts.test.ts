import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import type { Page } from "playwright-core";
import { clock } from "../support/clock.ts";
import { startMailbox } from "../support/mailbox.ts";
import { startService } from "../support/service.ts";
import { addAuthenticator } from "./support/held-site.ts";
import { type Host, serveApi, startNames } from "./support/names.ts";

// Passkeys of a host that has a name, with the client as it is built: at the host itself, and from a page of another site, where
// the host names that page (WebAuthn Level 3, 5.11). Another site has no cookie of the API's: its page keeps the pair itself.

const service = await startService();
const mailbox = await startMailbox(service);
const { browser, hosts } = await startNames();
const [api, app, stranger] = ["auth.example.com", "app.example.org", "app.example.net"] as const;
const sandbox = mailbox.createSandbox({
  ...{ ISSUER: `https://${api}`, ALLOWED_ORIGINS: `https://${app}`, REGISTRATION: "verified" },
});

/** What browsers asked the API for. */
const asked: string[] = [];
const answer = serveApi(sandbox, [`https://${app}`]);
const page: Host = ({ url = "" }, response) => {
  const isScript = url.endsWith(".js");
  response.writeHead(200, { "content-type": isScript ? "text/javascript" : "text/html" });
  response.end(
    isScript ? readFileSync(`.local/test/client${url}`, "utf8") : "<!doctype html><title>App</title>",
  );
};
hosts[api] = (request, response) => {
  const { url = "" } = request;
  asked.push(url);
  return /^\/$|\.js$/.test(url) ? page(request, response) : answer(request, response);
};
for (const host of [app, stranger]) hosts[host] = page;

/** A page at a host, with the client and an authenticator. */
async function open(host: string): Promise<Page> {
  const context = await browser.newContext();
  context.setDefaultTimeout(120_000);
  const tab = await context.newPage();
  await tab.goto(`https://${host}/`);
  await addAuthenticator(context, tab);
  await tab.evaluate(`(async () => {
    const [{ createAuthClient }, { createPasskeyClient }, { createAccountClient }] = await Promise.all(
      ["auth-client", "passkeys", "account"].map((name) => import("/" + name + ".js")),
    );
    const kept = {};
    const tokens = { load: () => kept.pair, save: (pair) => { kept.pair = pair; } };
    const elsewhere = { baseUrl: "https://${api}", tokens };
    const auth = createAuthClient(location.host === "${api}" ? {} : elsewhere);
    Object.assign(globalThis, { auth, passkeys: createPasskeyClient(auth), account: createAccountClient(auth) });
  })()`);
  return tab;
}

const run = <T>(tab: Page, code: string): Promise<T> =>
  tab.evaluate(
    `(async () => { try { return await (${code}); } catch (e) { return e instanceof DOMException ? e.name : e.code; } })()`,
  );
const byPasskey = { amr: ["pop", "user", "mfa"], acr: "aal2" };

test("P31 a page of another site that is listed makes a passkey and signs in with it; one that is not may do neither", async () => {
  const { email, password, userId } = await service.register();
  await service.database.change("users", { userId }, { emailVerifiedAt: clock.now });
  const tab = await open(app);
  const made = await run(
    tab,
    `auth.login(${JSON.stringify({ email, password })})
      .then(() => passkeys.addPasskey()).then(() => auth.logout())
      .then(() => passkeys.signInWithPasskey()).then(() => auth.me())`,
  );
  expect(made).toMatchObject({ email, ...byPasskey });
  expect(asked).toContain("/.well-known/webauthn");
  const get = `navigator.credentials.get({ publicKey: { challenge: new Uint8Array(32), rpId: "${api}" } })`;
  expect(await run(await open(stranger), get)).toBe("SecurityError");
});

test("O43 whoever logs in once more is offered the passkeys of that account alone", async () => {
  const tab = await open(api);
  const accounts = [await service.register(), await service.register()];
  const logIn = ({ email, password }: { email: string; password: string }) =>
    `auth.login(${JSON.stringify({ email, password })})`;
  for (const account of accounts) {
    await service.database.change("users", { userId: account.userId }, { emailVerifiedAt: clock.now });
    await run(tab, `${logIn(account)}.then(() => passkeys.addPasskey())`);
  }
  for (const account of accounts) {
    const again = "passkeys.passkeys().then((only) => passkeys.signInWithPasskey({ only }))";
    const claims = await run(tab, `${logIn(account)}.then(() => ${again}).then(() => auth.me())`);
    expect(claims).toMatchObject({ email: account.email, ...byPasskey });
  }
});

test("P29 an account is made with a passkey, after a wrong code with the same one, and deleted with it", async () => {
  const email = "ada@example.com";
  const tab = await open(api);
  const offered = await run(tab, `account.askRegistration({ email: "${email}" })`);
  expect(offered).toMatchObject({ expiresIn: 3_600, passkey: { rp: { id: api } } });
  const code = await mailbox.receiveCode(email);
  const wrong = code.slice(0, -1) + (code.endsWith("0") ? "1" : "0");
  const confirm = (typed: string) =>
    run(tab, `account.confirmRegistration({ code: "${typed}", passkey: passkeys.makePasskey })`);
  expect(await confirm(wrong)).toBe("invalid_code");
  expect(await confirm(code)).toMatchObject({ email });
  await run(tab, "passkeys.signInWithPasskey()");
  expect(await run(tab, "auth.me()")).toMatchObject({ email, ...byPasskey });
  expect(await run(tab, "passkeys.passkeys()")).toHaveLength(1);
  const proof = "passkeys.passkeys().then((only) => passkeys.provePasskey({ only }))";
  expect(await run(tab, `auth.deleteAccount({ password: "a guess" })`)).toBe("invalid_body");
  // Of another second than the sign-in: of one moment one challenge counts.
  clock.advance(1);
  expect(await run(tab, `${proof}.then((passkey) => auth.deleteAccount({ passkey }))`)).toBeUndefined();
  expect(await run(tab, "passkeys.signInWithPasskey()")).toBe("invalid_passkey");
});
