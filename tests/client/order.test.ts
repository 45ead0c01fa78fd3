import { beforeEach, describe, expect, test } from "@jest/globals";
import { clock } from "../support/clock.ts";
import { decodeClaims } from "../support/pair.ts";
import { startService } from "../support/service.ts";
import { type Browser, createBrowser, loseAnswer, refuse } from "./browser.ts";
import { expectSignedIn, openSession } from "./session.ts";

const service = await startService();
const [account, other] = await Promise.all([service.register(), service.register()]);
let browser: Browser;

beforeEach(() => {
  browser = createBrowser(service.sandbox);
});

/** Whose session the browser has. */
function userOf({ cookie = "" }: Browser): string {
  return decodeClaims(JSON.parse(decodeURIComponent(cookie.slice(cookie.indexOf("=") + 1))).token).sub;
}

describe.each<[string, { tabs: number; without?: "locks"[] }]>([
  ["in two tabs", { tabs: 2 }],
  ["in one tab, without Web Locks", { tabs: 1, without: ["locks"] }],
])("login, refresh and logout %s", (_where, options) => {
  test("a login waits for a refresh: its late answer would take the new session away", async () => {
    const tabs = await openSession(browser, account, options);
    const [first, second = first] = [tabs[0], tabs[1]];
    clock.advance(1000);
    const held = browser.hold("POST /auth/refresh");
    const refreshing = first.auth.refresh();
    await held.arrived;
    const loggingIn = second.auth.login({ email: other.email, password: other.password });
    await browser.idle();
    expect(browser.names).toEqual(["POST /auth/refresh lost"]);
    held.release();
    await Promise.all([refreshing, loggingIn]);
    expect(browser.names).toEqual(["POST /auth/refresh 200", "POST /auth/login 200"]);
    expect(userOf(browser)).toBe(other.userId);
    expect(await second.auth.me()).toMatchObject({ sub: other.userId });
  });

  test("a logout waits for a refresh: its late answer would bring the cookie back", async () => {
    const tabs = await openSession(browser, account, options);
    const [first, second = first] = [tabs[0], tabs[1]];
    clock.advance(1000);
    const held = browser.hold("POST /auth/refresh");
    const refreshing = first.auth.refresh();
    await held.arrived;
    const loggingOut = second.auth.logout();
    await browser.idle();
    held.release();
    await Promise.all([refreshing, loggingOut]);
    expect(browser.names).toEqual(["POST /auth/refresh 200", "POST /auth/logout 200"]);
    expect(browser.cookie).toBeUndefined();
  });

  test("a refresh waits for a login, and then is not needed", async () => {
    const tabs = await openSession(browser, account, options);
    const [first, second = first] = [tabs[0], tabs[1]];
    clock.advance(1000);
    const held = browser.hold("POST /auth/login");
    const loggingIn = first.auth.login({ email: other.email, password: other.password });
    await held.arrived;
    const fetching = second.auth.fetch("/auth/me");
    await browser.idle();
    held.release();
    await loggingIn;
    expect(await (await fetching).json()).toMatchObject({ sub: other.userId });
    expect(browser.names).toEqual(["POST /auth/login 200", "GET /auth/me 200"]);
  });

  test("a refresh waits for a logout, and then is not sent", async () => {
    const tabs = await openSession(browser, account, options);
    const [first, second = first] = [tabs[0], tabs[1]];
    clock.advance(1000);
    const held = browser.hold("POST /auth/logout");
    const loggingOut = first.auth.logout();
    await held.arrived;
    const fetching = second.auth.fetch("/movies");
    await browser.idle();
    held.release();
    await loggingOut;
    expect((await fetching).status).toBe(401);
    expect(browser.names).toEqual(["POST /auth/logout 200", "GET /movies 401"]);
  });
});

test("a 401 that arrives after another tab has renewed is repeated without a refresh", async () => {
  const [first, second] = await openSession(browser, account, { tabs: 2, asks: false });
  clock.advance(1000);
  const held = browser.hold("GET /movies");
  const fetching = second.auth.fetch("/movies");
  await held.arrived;
  await first.auth.refresh();
  clock.advance(100);
  held.release();
  expect((await fetching).status).toBe(200);
  expect(browser.names).toEqual(["GET /movies 401", "POST /auth/refresh 200", "GET /movies 200"]);
});

test("two tabs without Web Locks that refresh at once keep their session", async () => {
  const tabs = await openSession(browser, account, { tabs: 2, without: ["locks"] });
  clock.advance(1000);
  await Promise.all(tabs.map(({ auth }) => auth.refresh()));
  expect(browser.names).toEqual(["POST /auth/refresh 200", "POST /auth/refresh 200"]);
  clock.advance(1000);
  await expectSignedIn(...tabs);
});

test("without Web Locks a late refusal does not end the session that another tab has opened", async () => {
  const [first, second] = await openSession(browser, account, { tabs: 2, without: ["locks"] });
  clock.advance(1000);
  await service.database.delete("sessions", sessionKeyOf(browser));
  const held = browser.hold("POST /auth/refresh");
  const refreshing = first.auth.refresh();
  await held.arrived;
  clock.advance(1);
  await second.auth.login({ email: account.email, password: account.password });
  held.release();
  await refreshing;
  await expectSignedIn(first, second);
});

function sessionKeyOf({ cookie = "" }: Browser) {
  const { sub: userId, sid: sessionId } = decodeClaims(
    JSON.parse(decodeURIComponent(cookie.slice(cookie.indexOf("=") + 1))).token,
  );
  return { userId, sessionId };
}

describe("the Idempotency-Key", () => {
  const keys = () => browser.requests.flatMap(({ key }) => (key === undefined ? [] : [key]));

  test("goes with login and refresh only, and is the same in all tabs, but not in the cookie", async () => {
    const [first, second] = await openSession(browser, account, { tabs: 2 });
    const [{ key }] = browser.stored as [{ key: string }];
    expect(key).toMatch(/^[\w-]{36}$/);
    clock.advance(60);
    browser.break("POST /auth/refresh", refuse(503, { "retry-after": "60" }), { times: 2 });
    for (const { auth } of [first, second])
      await expect(auth.refresh()).rejects.toMatchObject({ status: 503 });
    await Promise.all([first.auth.me(), first.auth.sessions(), first.auth.account()]);
    expect(keys()).toEqual([key, key]);
    expect(browser.cookie).not.toContain(key);
    expect((await service.database.find("sessions", sessionKeyOf(browser)))?.keyed).toBe(true);
  });

  test("is that of the login for the first refresh, and another for the next", async () => {
    const [tab] = await openSession(browser, account);
    const [{ key }] = browser.stored as [{ key: string }];
    for (let times = 1; times <= 3; times++) {
      clock.advance(1000);
      await tab.auth.refresh();
    }
    expect(keys()[0]).toBe(key);
    expect(new Set(keys()).size).toBe(3);
  });

  test("stays for 60 s after a refresh was answered, whoever logs in meanwhile", async () => {
    const [tab] = await openSession(browser, account);
    clock.advance(60);
    await tab.auth.refresh();
    clock.advance(30);
    await tab.auth.login({ email: account.email, password: account.password });
    clock.advance(30);
    await tab.auth.login({ email: account.email, password: account.password });
    clock.advance(1000);
    await tab.auth.refresh();
    const [first, second, third, fourth] = keys();
    expect([second, third]).toEqual([first, first]);
    expect(fourth).not.toBe(first);
  });

  test("stays exactly as long: 60 s are not more than 60 s", async () => {
    const [tab] = await openSession(browser, account);
    clock.advance(60);
    await tab.auth.refresh();
    clock.advance(60);
    await tab.auth.refresh();
    clock.advance(61);
    await tab.auth.refresh();
    const [first, second, third] = keys();
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });

  test("stays while a refresh was not answered 200, for however long, also for a new page", async () => {
    const [tab] = await openSession(browser, account);
    clock.advance(1000);
    await tab.auth.refresh();
    clock.advance(1000);
    browser.break("POST /auth/refresh", loseAnswer, { times: 3 });
    await expect(browser.patiently(tab.auth.refresh())).rejects.toMatchObject({ status: 0 });
    tab.close();
    clock.advance(8 * 3600);
    const reopened = await browser.openTab();
    browser.break("POST /auth/refresh", refuse(429));
    await expect(reopened.auth.refresh()).rejects.toMatchObject({ status: 429 });
    clock.advance(8 * 3600);
    await reopened.auth.refresh();
    const [first, ...others] = keys();
    expect(others.length).toBe(5);
    expect(new Set(others).size).toBe(1);
    expect(others[0]).not.toBe(first);
    await expectSignedIn(reopened);
  });

  test("is not sent by an application whose server refreshes, too", async () => {
    const [tab] = await openSession(browser, account, { keys: false });
    clock.advance(1000);
    await tab.auth.refresh();
    expect(keys()).toEqual([]);
    expect((await service.database.find("sessions", sessionKeyOf(browser)))?.keyed).toBe(false);
    clock.advance(1000);
    const answer = await service.sandbox.refresh({ cookies: [browser.cookie ?? ""] });
    browser.setCookie(answer.cookies?.[0] ?? "");
    await expectSignedIn(tab);
  });
});
