import { beforeEach, describe, expect, test } from "@jest/globals";
import { clock } from "../support/clock.ts";
import { decodeClaims, pairOf } from "../support/pair.ts";
import { startService } from "../support/service.ts";
import { type Browser, createBrowser, refuse, type Tab } from "./browser.ts";
import { expectSignedIn, openSession } from "./session.ts";

const service = await startService();
const account = await service.register();
const tokenExpired = expect.objectContaining({ name: "AuthError", status: 400, code: "token_expired" });
let browser: Browser;

beforeEach(() => {
  browser = createBrowser(service.sandbox);
});

/** Deletes the browser's session past the API, as another device or an operator may. */
async function endElsewhere(): Promise<void> {
  const { sub: userId, sid: sessionId } = claimsOf(browser.cookie);
  await service.database.delete("sessions", { userId, sessionId });
}

function claimsOf(cookie = "") {
  return decodeClaims(JSON.parse(decodeURIComponent(cookie.slice(cookie.indexOf("=") + 1))).token);
}

describe("a session that was ended elsewhere", () => {
  test("is told to every tab once, with the refusal where it came", async () => {
    const [tab, ...others] = await openSession(browser, account, { tabs: 3 });
    await endElsewhere();
    clock.advance(1000);
    const responses = await Promise.all([1, 2, 3].map(() => tab.auth.fetch("/movies")));
    expect(responses.map(({ status }) => status)).toEqual([401, 401, 401]);
    await browser.idle();
    expect(tab.ends).toEqual(["token_expired"]);
    for (const { ends } of others) expect(ends).toEqual(["elsewhere"]);
    expect(browser.names.filter((name) => name.includes("refresh"))).toEqual(["POST /auth/refresh 400"]);
  });

  test("is told to a page that does nothing, by its timer", async () => {
    const [tab] = await openSession(browser, account);
    await endElsewhere();
    await browser.wait(86_400);
    expect(tab.ends).toEqual(["token_expired"]);
    expect(browser.names).toEqual(["POST /auth/refresh 400"]);
  });

  test("makes no loop, however often the page asks", async () => {
    const [tab] = await openSession(browser, account);
    await endElsewhere();
    clock.advance(1000);
    for (let times = 1; times <= 20; times++)
      await expect(tab.auth.me()).rejects.toMatchObject({ status: 401 });
    expect(browser.names.filter((name) => name.includes("refresh")).length).toBe(1);
    expect(browser.requests.length).toBe(21);
    clock.advance(61);
    for (let times = 1; times <= 20; times++)
      await expect(tab.auth.me()).rejects.toMatchObject({ status: 401 });
    expect(browser.names.filter((name) => name.includes("refresh")).length).toBe(2);
    expect(tab.ends).toEqual(["token_expired"]);
  });

  test("is refused to who asks for a renewal, and says why", async () => {
    const [tab] = await openSession(browser, account);
    await endElsewhere();
    clock.advance(1000);
    await expect(tab.auth.refresh()).rejects.toEqual(tokenExpired);
    await expect(tab.auth.refresh()).rejects.toEqual(tokenExpired);
    expect(tab.ends).toEqual(["token_expired"]);
  });

  test("stays ended though its last JWT still opens things", async () => {
    const [tab] = await openSession(browser, account);
    await endElsewhere();
    clock.advance(100);
    await expect(tab.auth.refresh()).rejects.toEqual(tokenExpired);
    const [end] = browser.stored;
    expect(await tab.auth.me()).toMatchObject({ sub: account.userId });
    await browser.idle();
    // Another write would wake the other tabs.
    expect(browser.stored).toEqual([end]);
    await browser.wait(3600);
    await expect(tab.auth.me()).rejects.toMatchObject({ status: 401 });
    expect(tab.ends).toEqual(["token_expired"]);
  });

  test("opens again with a login, and can end again", async () => {
    const [tab, other] = await openSession(browser, account, { tabs: 2 });
    for (let times = 1; times <= 2; times++) {
      await endElsewhere();
      clock.advance(1000);
      await expect(tab.auth.me()).rejects.toMatchObject({ status: 401 });
      await browser.idle();
      expect(tab.ends).toEqual(Array(times).fill("token_expired"));
      expect(other.ends).toEqual(Array(times).fill("elsewhere"));
      await tab.auth.login({ email: account.email, password: account.password });
      expect((await other.auth.fetch("/movies")).status).toBe(200);
    }
  });

  test("while its pair is young only the 401 tells; a minute later it has ended", async () => {
    const [tab] = await openSession(browser, account);
    await endElsewhere();
    const passwords = { currentPassword: account.password, newPassword: "a new and longer sentence" };
    await expect(tab.auth.changePassword(passwords)).rejects.toMatchObject({ code: "invalid_token" });
    expect(browser.names).toEqual(["POST /auth/password 401"]);
    expect(tab.ends).toEqual([]);
    clock.advance(60);
    await expect(tab.auth.changePassword(passwords)).rejects.toMatchObject({ code: "invalid_token" });
    expect(tab.ends).toEqual(["token_expired"]);
  });

  test("lets the page log in again from onSessionEnd", async () => {
    const { email, password } = account;
    const tab: Tab = await browser.openTab({ onSessionEnd: () => void tab.auth.login({ email, password }) });
    await tab.auth.login({ email, password });
    await endElsewhere();
    clock.advance(1000);
    expect((await tab.auth.fetch("/movies")).status).toBe(401);
    await browser.idle();
    expect((await tab.auth.fetch("/movies")).status).toBe(200);
  });
});

test("a copied cookie that is used ends the session for both within one life of a JWT", async () => {
  const [tab] = await openSession(browser, account);
  const stolen = browser.cookie ?? "";
  clock.advance(300);
  const thief = pairOf(await service.sandbox.refresh({ cookies: [stolen] }));
  await browser.wait(840);
  expect(tab.ends).toEqual(["token_expired"]);
  expect((await service.refresh(thief)).statusCode).toBe(400);
});

test("after two days asleep the cookie is gone, and the session with it", async () => {
  const [tab] = await openSession(browser, account);
  clock.advance(2 * 86_400);
  expect((await tab.auth.fetch("/movies")).status).toBe(401);
  expect(tab.ends).toEqual(["missing_credentials"]);
  expect(browser.names).toEqual(["POST /auth/refresh 401", "GET /movies 401"]);
});

test("a dead cookie that this page knows nothing of is told as an end, too", async () => {
  await openSession(browser, account);
  await endElsewhere();
  const { cookie = "" } = browser;
  browser = createBrowser(service.sandbox);
  browser.setCookie(`${cookie}; Max-Age=86400`);
  clock.advance(1000);
  const tab = await browser.openTab();
  await expect(tab.auth.me()).rejects.toMatchObject({ code: "invalid_token" });
  expect(tab.ends).toEqual(["token_expired"]);
});

test("a visitor without a session is not told that one has ended", async () => {
  const tab = await browser.openTab();
  await expect(tab.auth.me()).rejects.toMatchObject({ status: 401, code: "missing_credentials" });
  await expect(tab.auth.me()).rejects.toMatchObject({ status: 401 });
  await browser.wait(3600);
  expect(browser.names).toEqual(["GET /auth/me 401", "POST /auth/refresh 401", "GET /auth/me 401"]);
  expect(tab.ends).toEqual([]);
});

describe("a session that the application's server opened", () => {
  /** A visitor, whom the server then logs in. */
  async function openAtServer(): Promise<Tab> {
    const tab = await browser.openTab({ keys: false });
    await expect(tab.auth.me()).rejects.toMatchObject({ status: 401 });
    const { email, password } = account;
    const { cookies } = await service.sandbox.login({ body: { email, password } });
    browser.setCookie(cookies?.[0] ?? "");
    browser.forget();
    return tab;
  }

  test("is renewed at a 401 like any other", async () => {
    const tab = await openAtServer();
    clock.advance(1000);
    await expectSignedIn(tab);
  });

  test("is renewed in time, and its end is told, once the page has asked who it is", async () => {
    const tab = await openAtServer();
    await tab.auth.me();
    await browser.wait(840);
    expect(browser.names).toEqual(["GET /auth/me 200", "POST /auth/refresh 200"]);
    await endElsewhere();
    await browser.wait(840);
    expect(tab.ends).toEqual(["token_expired"]);
  });
});

test("a late answer of me() does not bring back a session that was logged out meanwhile", async () => {
  const [tab, other] = await openSession(browser, account, { tabs: 2 });
  const { arrived, release } = browser.hold("GET /auth/me");
  const asking = tab.auth.me();
  await arrived;
  clock.advance(1);
  await other.auth.logout();
  release();
  await asking;
  await browser.wait(3600);
  expect(browser.names).toEqual(["GET /auth/me 200", "POST /auth/logout 200"]);
  expect([tab.ends, other.ends]).toEqual([["elsewhere"], []]);
});

describe("logout", () => {
  test("ends the session everywhere; other tabs are told, this one knows", async () => {
    const [tab, other] = await openSession(browser, account, { tabs: 2 });
    const { cookie = "" } = browser;
    await tab.auth.logout();
    await browser.idle();
    expect(browser.cookie).toBeUndefined();
    expect([tab.ends, other.ends]).toEqual([[], ["elsewhere"]]);
    expect((await service.sandbox.refresh({ cookies: [cookie] })).statusCode).toBe(400);
    await browser.wait(3600);
    expect(browser.names).toEqual(["POST /auth/logout 200"]);
  });

  test("is repeated when the API is away, and fails rather than pretend", async () => {
    const [tab] = await openSession(browser, account);
    browser.break("POST /auth/logout", refuse(503, { "retry-after": "1" }), { times: 4 });
    await expect(browser.patiently(tab.auth.logout())).rejects.toMatchObject({ status: 503 });
    await expectSignedIn(tab);
    await browser.patiently(tab.auth.logout());
    expect(browser.cookie).toBeUndefined();
    expect(browser.names.filter((name) => name.includes("logout"))).toEqual([
      ...Array(4).fill("POST /auth/logout 503"),
      "POST /auth/logout 200",
    ]);
  });

  test.each<[string, (tab: Tab) => Promise<void>]>([
    ["ending all sessions", ({ auth }) => auth.endAllSessions()],
    ["deleting the account", ({ auth }) => auth.deleteAccount({ password: doomed.password })],
  ])("%s is one, too", async (_what, act) => {
    const [tab, other] = await openSession(browser, doomed, { tabs: 2 });
    await act(tab);
    await browser.idle();
    expect(browser.cookie).toBeUndefined();
    expect([tab.ends, other.ends]).toEqual([[], ["elsewhere"]]);
  });
});

const doomed = await service.register();
