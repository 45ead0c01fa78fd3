import { describe, expect, test } from "@jest/globals";
import { clock } from "../support/clock.ts";
import { createBrowser, loseAnswer, refuse } from "./browser.ts";
import { browser, credentials, expectSignedIn, openSession, service, sessionKey } from "./setup.ts";

const refreshed = "POST /auth/refresh 200";
const sent = (header: string) => browser.requests.flatMap(({ headers }) => headers[header] ?? []);
const keys = () => sent("idempotency-key");

describe("the keys", () => {
  test("go with login and refresh only, are the same in all tabs, and are not in the cookie", async () => {
    const [first, second] = await openSession({ tabs: 2, age: 60 });
    const [stored] = browser.stored;
    for (const name of ["key", "previousKey", "sessionKey"]) {
      expect(stored[name]).toMatch(/^[\w-]{43}$/);
      expect(browser.cookie).not.toContain(stored[name]);
    }
    expect((await service.database.find("sessions", sessionKey()))?.keyed).toBe(true);
    browser.break("POST /auth/refresh", refuse(503, { "retry-after": "60" }), { times: 2 });
    for (const { auth } of [first, second])
      await expect(auth.refresh()).rejects.toMatchObject({ status: 503 });
    const { auth } = first;
    await Promise.all([auth.me(), auth.sessions(), auth.account(), auth.fetch("/notes", { method: "POST" })]);
    await first.auth.logout();
    expect(keys()).toEqual([stored.key, stored.key]);
    expect(sent("idempotency-key-previous")).toEqual([stored.previousKey, stored.previousKey]);
    expect(sent("session-key")).toEqual([stored.sessionKey, stored.sessionKey]);
  });

  test("the key of the next refresh is another, and names the one before; the Session-Key stays until a logout", async () => {
    const [{ auth }] = await openSession({ age: 1000 });
    await auth.refresh();
    await auth.login(credentials);
    clock.advance(1000);
    await auth.refresh();
    const [first, login, second] = keys();
    expect(new Set([first, login, second]).size).toBe(3);
    expect(sent("idempotency-key-previous")).toEqual([expect.anything(), login]);
    const sessionKeys = sent("session-key");
    expect([sessionKeys.length, new Set(sessionKeys).size]).toEqual([3, 1]);
    await auth.logout();
    await auth.login(credentials);
    expect(sent("session-key")[3]).not.toBe(sessionKeys[0]);
  });

  test("of a login whose answer was lost go out again with the next one", async () => {
    const { auth } = await browser.openTab();
    browser.break("POST /auth/login", loseAnswer);
    await expect(auth.login(credentials)).rejects.toMatchObject({ code: "network_error" });
    const reloaded = await browser.openTab();
    await reloaded.auth.login(credentials);
    expect(keys()).toEqual(Array(2).fill(expect.stringMatching(/^[\w-]{43}$/)));
    expect(new Set([...keys(), ...sent("session-key")]).size).toBe(2);
    await expectSignedIn(reloaded);
  });

  test("are not sent by an application whose server refreshes, too", async () => {
    const [tab] = await openSession({ keys: false, age: 1000 });
    await tab.auth.refresh();
    for (const header of ["idempotency-key", "idempotency-key-previous", "session-key"])
      expect(sent(header)).toEqual([]);
    expect((await service.database.find("sessions", sessionKey()))?.keyed).toBe(false);
    clock.advance(1000);
    const { cookies } = await service.sandbox.refresh({ cookies: [browser.cookie ?? ""] });
    browser.setCookie(cookies?.[0] ?? "");
    await expectSignedIn(tab);
  });
});

test.each([
  ["right after a renewal", 80],
  ["right after a renewal, and opened again hours later", 8 * 3600],
])(
  "a browser that is killed %s, before it has written its cookies to the disk, keeps its session",
  async (_when, seconds) => {
    const [tab] = await openSession({ age: 1000 });
    await tab.auth.refresh();
    clock.advance(1000);
    const { cookies } = browser.profile();
    await tab.auth.refresh();
    clock.advance(seconds);
    const reopened = createBrowser(service.sandbox, { cookies, storage: browser.profile().storage });
    const again = await reopened.openTab();
    await expectSignedIn(again);
    clock.advance(1000);
    await expectSignedIn(again);
    expect(reopened.names.filter((name) => name.includes("refresh"))).toEqual([refreshed, refreshed]);
  },
);

describe("a thief", () => {
  test("R54 who copied the whole profile is found out at the second renewal, at the latest", async () => {
    const [tab] = await openSession();
    const thief = createBrowser(service.sandbox, browser.profile());
    const stolen = await thief.openTab();
    for (let times = 1; times <= 2; times++) {
      clock.advance(1000);
      for (const { auth } of [stolen, tab]) await auth.fetch("/movies");
    }
    expect(tab.ends).toEqual(["token_expired"]);
  });

  test("who copied the cookie cannot renew it; the victim notices nothing", async () => {
    const [tab] = await openSession({ age: 1000 });
    const thief = await service.sandbox.refresh({ cookies: [browser.cookie ?? ""] });
    expect(thief.statusCode).toBe(403);
    await expectSignedIn(tab);
  });
});
