import { beforeEach, describe, expect, test } from "@jest/globals";
import { clock } from "../support/clock.ts";
import { type Account, startService } from "../support/service.ts";
import { type Browser, createBrowser } from "./browser.ts";

const service = await startService();
let account: Account;
let browser: Browser;

beforeEach(async () => {
  account ??= await service.register();
  browser = createBrowser(service.sandbox);
});

async function openSession() {
  const tab = await browser.openTab();
  const { email, password } = account;
  await tab.auth.login({ email, password });
  await tab.auth.me();
  await browser.idle();
  browser.forget();
  return tab;
}

describe("a session", () => {
  test("is renewed shortly before its JWT expires, by itself", async () => {
    const tab = await openSession();
    await browser.wait(839);
    expect(browser.names).toEqual([]);
    await browser.wait(1);
    expect(browser.names).toEqual(["POST /auth/refresh 200"]);
    await browser.wait(3600);
    expect(browser.names.length).toBe(5);
    expect((await tab.auth.fetch("/movies")).status).toBe(200);
    expect(tab.ends).toEqual([]);
  });

  test("is renewed at its next use after the device slept", async () => {
    const tab = await openSession();
    clock.advance(7200);
    const response = await tab.auth.fetch("/movies");
    expect(await response.json()).toEqual(["Avatar", "Avengers"]);
    expect(browser.names).toEqual(["POST /auth/refresh 200", "GET /movies 200"]);
  });
});
