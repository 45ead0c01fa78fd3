import { describe, expect, test } from "@jest/globals";
import { clock } from "../support/clock.ts";
import { loseAnswer, refuse, type Tab } from "./browser.ts";
import {
  account,
  browser,
  claimsOfCookie,
  credentials,
  endElsewhere,
  expectSignedIn,
  namesWith,
  openSession,
  service,
} from "./setup.ts";

const newPassword = "a new and longer sentence";
const tokenExpired = expect.objectContaining({ name: "AuthError", status: 400, code: "token_expired" });

/** Asserts that a call meets a 401, and is not told as an end. */
const expect401 = (tab: Tab) => expect(tab.auth.me()).rejects.toMatchObject({ status: 401 });

describe("a session that was ended elsewhere", () => {
  test("is told to every tab once, with the error where it came; a login opens another, which can end again", async () => {
    const [tab, ...others] = await openSession({ tabs: 3 });
    for (let times = 1; times <= 2; times++) {
      await endElsewhere();
      clock.advance(1000);
      const responses = await Promise.all([1, 2, 3].map(() => tab.auth.fetch("/movies")));
      expect(responses.map(({ status }) => status)).toEqual([401, 401, 401]);
      await browser.idle();
      expect(tab.ends).toEqual(Array(times).fill("token_expired"));
      for (const { ends } of others) expect(ends).toEqual(Array(times).fill("elsewhere"));
      expect(namesWith("refresh")).toEqual(Array(times).fill("POST /auth/refresh 400"));
      await tab.auth.login(credentials);
      expect((await others[0]?.auth.fetch("/movies"))?.status).toBe(200);
    }
  });

  test("makes no loop, however often the page asks; a minute later it is asked once more", async () => {
    const [tab] = await openSession();
    await endElsewhere();
    clock.advance(1000);
    for (const refreshes of [1, 2]) {
      for (let times = 1; times <= 20; times++) await expect401(tab);
      expect(namesWith("refresh").length).toBe(refreshes);
      clock.advance(61);
    }
    expect(browser.requests.length).toBe(42);
    expect(tab.ends).toEqual(["token_expired"]);
  });

  test("is refused to who asks for a renewal, and stays ended though its last JWT still opens things", async () => {
    const [tab] = await openSession();
    await endElsewhere();
    clock.advance(100);
    for (const _time of [1, 2]) await expect(tab.auth.refresh()).rejects.toEqual(tokenExpired);
    const [end] = browser.stored;
    expect(await tab.auth.me()).toMatchObject({ sub: account.userId });
    await browser.idle();
    // Another write would wake the other tabs.
    expect(browser.stored).toEqual([end]);
    await browser.wait(3600);
    await expect401(tab);
    expect(tab.ends).toEqual(["token_expired"]);
  });

  test("lets the page log in again from onSessionEnd", async () => {
    const [tab] = await openSession({ onSessionEnd: () => void tab.auth.login(credentials) });
    await endElsewhere();
    clock.advance(1000);
    expect((await tab.auth.fetch("/movies")).status).toBe(401);
    await browser.idle();
    expect((await tab.auth.fetch("/movies")).status).toBe(200);
  });
});

test("a change of the password goes on in a new session, which is renewed; the old cookie is worth nothing", async () => {
  const owner = await service.register();
  const [tab, other] = await openSession({ tabs: 2, as: owner, age: 1000 });
  const before = claimsOfCookie();
  await tab.auth.changePassword({ currentPassword: owner.password, newPassword });
  expect(claimsOfCookie().sid).not.toBe(before.sid);
  clock.advance(1000);
  await expectSignedIn(tab, other);
  expect(namesWith("refresh")).toEqual(Array(2).fill("POST /auth/refresh 200"));
});

test("a change of the password whose response is lost asks for a login with the new one", async () => {
  const owner = await service.register();
  const [{ auth, ends }] = await openSession({ as: owner });
  browser.break("POST /auth/password", loseAnswer);
  const changing = auth.changePassword({ currentPassword: owner.password, newPassword });
  await expect(browser.patiently(changing)).rejects.toMatchObject({ status: 401, code: "password_changed" });
  expect(ends).toEqual(["password_changed"]);
  await auth.login({ email: owner.email, password: newPassword });
  expect((await auth.fetch("/movies")).status).toBe(200);
});

test("a visitor is told of no end; a session that the server then opens is renewed, and its end is told", async () => {
  const tab = await browser.openTab({ keys: false });
  await expect401(tab);
  await expect401(tab);
  await browser.wait(3600);
  expect(browser.names).toEqual(["GET /auth/me 401", "POST /auth/refresh 401", "GET /auth/me 401"]);
  const { cookies } = await service.sandbox.login({ body: credentials });
  browser.setCookie(cookies?.[0] ?? "");
  clock.advance(1000);
  await expectSignedIn(tab);
  await tab.auth.me();
  browser.forget();
  await browser.wait(840);
  expect(browser.names).toEqual(["POST /auth/refresh 200"]);
  expect(tab.ends).toEqual([]);
  await endElsewhere();
  await browser.wait(840);
  expect(tab.ends).toEqual(["token_expired"]);
});

test("a late response to me() does not bring back a session that was logged out meanwhile", async () => {
  const [tab, other] = await openSession({ tabs: 2 });
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
  test.each<[string, (tab: Tab, password: string) => Promise<void>]>([
    ["ends the session everywhere; other tabs are told, this one knows", ({ auth }) => auth.logout()],
    ["is part of ending all sessions", ({ auth }) => auth.endAllSessions()],
    ["is part of deleting the account", ({ auth }, password) => auth.deleteAccount({ password })],
  ])("%s", async (_what, act) => {
    const doomed = await service.register();
    const [tab, other] = await openSession({ tabs: 2, as: doomed });
    const { cookie = "" } = browser;
    await act(tab, doomed.password);
    await browser.wait(3600);
    expect(browser.cookie).toBeUndefined();
    expect([tab.ends, other.ends]).toEqual([[], ["elsewhere"]]);
    expect((await service.sandbox.refresh({ cookies: [cookie] })).statusCode).toBe(400);
    expect(namesWith("refresh")).toEqual([]);
  });

  test("is repeated when the API is away, and fails rather than pretend", async () => {
    const [tab] = await openSession();
    browser.break("POST /auth/logout", refuse(503, { "retry-after": "1" }), { times: 4 });
    await expect(browser.patiently(tab.auth.logout())).rejects.toMatchObject({ status: 503 });
    await expectSignedIn(tab);
    await browser.patiently(tab.auth.logout());
    expect(browser.cookie).toBeUndefined();
    const names = [...Array(4).fill("POST /auth/logout 503"), "POST /auth/logout 200"];
    expect(namesWith("logout")).toEqual(names);
  });
});
