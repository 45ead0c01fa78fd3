import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import type { BrowserContext, Page } from "playwright-core";
import { clock } from "../support/clock.ts";
import { startService } from "../support/service.ts";
import { forward, type Host, startNames } from "./support/names.ts";

// Chromium with keys in software: on Linux it has no others. It does all of this by itself, over https alone.

const service = await startService();
const { browser, hosts } = await startNames({
  features: ["DeviceBoundSessions", "EnableBoundSessionCredentialsSoftwareKeysForManualTesting"],
});
const host = "auth.example.com";
const sandbox = service.createSandbox({
  ISSUER: `https://${host}`,
  DEVICE_BOUND_SESSIONS: "on",
  COOKIE_NAME: "__Host-auth",
});

/** What the page has of our client. */
interface Tab {
  auth: { login(account: object): Promise<unknown>; logout(): Promise<unknown> };
}

/** What came in, and how it was answered. */
const seen: string[] = [];
const api: Host = async (request, response) => {
  const { method = "", url = "" } = request;
  if (url === "/" || url === "/auth-client.js") {
    response.writeHead(200, { "content-type": url === "/" ? "text/html" : "text/javascript" });
    response.end(
      url === "/" ? "<!doctype html><title>App</title>" : readFileSync(".local/test/client/auth-client.js"),
    );
    return;
  }
  if (url === "/expire") {
    // The marker of a browser ends before the JWT does; no test waits for that.
    response.writeHead(204, {
      "set-cookie": "__Host-auth-bound=; Secure; HttpOnly; SameSite=Strict; Path=/; Max-Age=0",
    });
    response.end();
    return;
  }
  const write = response.writeHead.bind(response);
  response.writeHead = ((status: number) => {
    if (!url.startsWith("/favicon")) seen.push(`${method} ${url} ${status}`);
    return write(status);
  }) as typeof response.writeHead;
  await forward(sandbox, request, response);
};
hosts[host] = api;

/** A page with our client, and somebody logged in whose browser has bound its key. */
async function logIn(context: BrowserContext): Promise<Page> {
  const { email, password } = await service.register();
  const page = await context.newPage();
  await page.goto(`https://${host}/`);
  const { bound } = await watchKeys(page);
  await page.evaluate(
    async (account) => {
      const { createAuthClient } = await import("/auth-client.js" as string);
      const auth = createAuthClient();
      const ends: unknown[] = [];
      Object.assign(globalThis, { auth, ends });
      await auth.login(account);
    },
    { email, password },
  );
  await bound;
  return page;
}

/** Watches what the browser does by itself; `bound` settles when it has a key and knows what to do with it. */
async function watchKeys(page: Page): Promise<{ bound: Promise<void> }> {
  const protocol = await page.context().newCDPSession(page);
  const send = protocol.send as (name: string, parameters?: object) => Promise<unknown>;
  await send.call(protocol, "Network.enable");
  await send.call(protocol, "Network.enableDeviceBoundSessions", { enable: true });
  const { promise: bound, resolve } = Promise.withResolvers<void>();
  protocol.on(
    "Network.deviceBoundSessionEventOccurred" as never,
    ((event: { succeeded: boolean; creationEventDetails?: object }) => {
      if (event.creationEventDetails && event.succeeded) resolve();
    }) as never,
  );
  return { bound };
}

const ask = (page: Page, path: string, method = "GET") =>
  page.evaluate(
    ([url, verb]) => fetch(url ?? "", { method: verb ?? "" }).then(({ status }) => status),
    [path, method],
  );

test("D12 D16 D20 a session that Chromium has bound goes on there, and nowhere else", async () => {
  const context = await browser.newContext();
  const page = await logIn(context);
  const copied = await context.cookies();

  // The browser proves its key before the page's request goes out.
  clock.advance(600);
  seen.length = 0;
  await ask(page, "/expire");
  expect(await ask(page, "/auth/me")).toBe(200);
  expect(seen).toEqual(["POST /auth/device 204", "GET /auth/me 200"]);

  // A page that renews with the marker there is sent round once.
  clock.advance(600);
  seen.length = 0;
  expect(await ask(page, "/auth/refresh", "POST")).toBe(200);
  expect(seen).toEqual(["POST /auth/refresh 307", "POST /auth/device 204", "POST /auth/refresh 200"]);

  // Somebody with the whole cookie jar of before, in another browser; and with that of now.
  for (const jar of [copied, await context.cookies()]) {
    clock.advance(600);
    const thief = await browser.newContext();
    await thief.addCookies(jar);
    const robbed = await thief.newPage();
    await robbed.goto(`https://${host}/`);
    expect(await ask(robbed, "/auth/refresh", "POST")).toBe(403);
    expect(await ask(robbed, "/auth/device", "POST")).toBe(400);
  }

  // The owner goes on.
  await ask(page, "/expire");
  expect(await ask(page, "/auth/me")).toBe(200);

  // Another login: the browser binds its key to that session. After the logout it asks once, and that was it.
  // (No more than six signatures in all: Chromium makes no seventh within nine minutes.)
  const { bound } = await watchKeys(page);
  const { email, password } = await service.register();
  const other = { email, password };
  await page.evaluate((account) => (globalThis as unknown as Tab).auth.login(account), other);
  await bound;
  await page.evaluate(() => (globalThis as unknown as Tab).auth.logout());
  seen.length = 0;
  for (let i = 0; i < 2; i++) expect(await ask(page, "/auth/me")).toBe(401);
  expect(seen).toEqual(["POST /auth/device 401", "GET /auth/me 401", "GET /auth/me 401"]);
  expect((await context.cookies()).map(({ name }) => name)).not.toContain("__Host-auth-bound");
});
