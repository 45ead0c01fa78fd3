import { describe, expect, test } from "@jest/globals";
import { clock } from "../support/clock.ts";
import { fail } from "../support/faults.ts";
import { loseAnswer, loseRequest, refuse, type Tab } from "./browser.ts";
import { account, browser, credentials, expectSignedIn, namesWith, openSession, service } from "./setup.ts";

const refreshed = "POST /auth/refresh 200";

describe("three tabs renew their token pair once", () => {
  test("shortly before its JWT expires, by themselves, for as long as a page is open", async () => {
    const tabs = await openSession({ tabs: 3 });
    await browser.wait(839);
    expect(browser.names).toEqual([]);
    await browser.wait(1);
    expect(browser.names).toEqual([refreshed]);
    await browser.wait(100_000);
    expect(browser.names).toEqual(Array(1 + Math.floor(100_000 / 840)).fill(refreshed));
    await expectSignedIn(...tabs);
    for (const { close } of tabs) close();
    await browser.openTab();
    browser.forget();
    await browser.wait(840);
    expect(browser.names).toEqual([refreshed]);
  });

  test.each([
    ["at the next use, if the device slept", true, [...Array(3).fill("GET /movies 200"), refreshed]],
    [
      "at a 401, if nobody knows when it expires; the request is sent once more",
      false,
      [...Array(3).fill("GET /movies 200"), ...Array(3).fill("GET /movies 401"), refreshed],
    ],
  ])("%s", async (_when, learns, names) => {
    const tabs = await openSession({ tabs: 3, learns, age: 7200 });
    await Promise.all(tabs.map((tab) => expectSignedIn(tab)));
    expect(browser.names.toSorted()).toEqual(names);
  });
});

describe("when a token pair is renewed", () => {
  test("while the JWT lives, nobody waits for it", async () => {
    const [tab] = await openSession({ age: 845 });
    const { release } = browser.hold("POST /auth/refresh");
    await expectSignedIn(tab);
    expect(browser.names.toSorted()).toEqual(["GET /movies 200", "POST /auth/refresh lost"]);
    release();
    await browser.idle();
    expect(browser.names.toSorted()).toEqual(["GET /movies 200", refreshed]);
  });

  test("a page that could not learn how long a JWT lives asks by itself, once, busy or not", async () => {
    const [tab] = await openSession({ learns: false });
    for (let seconds = 0; seconds < 900; seconds += 5) {
      await browser.wait(5);
      await tab.auth.fetch("/movies");
    }
    await browser.wait(2700);
    const others = browser.names.filter((name) => name !== "GET /movies 200");
    expect(others).toEqual(["GET /auth/me 200", ...Array(4).fill(refreshed)]);
  });

  test("in time also when the API gives shorter JWTs than before", async () => {
    const [tab] = await openSession({ age: 1000 });
    browser.moveTo(service.createSandbox({ ACCESS_TOKEN_TTL_SECONDS: "120" }));
    await expectSignedIn(tab);
    clock.advance(200);
    await expectSignedIn(tab); // At a 401: the life was not what it had been.
    browser.forget();
    await browser.wait(900);
    expect(browser.names).toEqual(["GET /auth/me 200", ...Array(10).fill(refreshed)]);
  });
});

describe("a response that is lost", () => {
  test.each([
    ["the request is lost", 1, () => browser.break("POST /auth/refresh", loseRequest)],
    ["the response is lost", 1, () => browser.break("POST /auth/refresh", loseAnswer)],
    ["none comes for 12 s", 13, () => browser.hold("POST /auth/refresh")],
  ])("%s: the refresh is repeated with its key, after %i s or more", async (_what, seconds, lose) => {
    const [tab] = await openSession({ age: 1000 });
    lose();
    await browser.patiently(expectSignedIn(tab));
    expect(browser.names).toEqual(["POST /auth/refresh lost", refreshed, "GET /movies 200"]);
    const [lost, repeated] = browser.requests;
    expect(repeated?.key).toBe(lost?.key);
    expect((repeated?.at ?? 0) - (lost?.at ?? 0)).toBeGreaterThanOrEqual(seconds);
  });

  test("while the network is away nothing is lost: a new page repeats it, with its key, hours later", async () => {
    const [tab] = await openSession({ age: 1000 });
    await tab.auth.refresh();
    clock.advance(1000);
    browser.break("POST /auth/refresh", loseAnswer, { times: 3 });
    const error = { name: "AuthError", status: 0, code: "network_error" };
    await expect(browser.patiently(tab.auth.fetch("/movies"))).rejects.toMatchObject(error);
    expect(browser.names.slice(1)).toEqual([...Array(3).fill("POST /auth/refresh lost"), "GET /movies 401"]);
    tab.close();
    clock.advance(8 * 3600);
    const reopened = await browser.openTab();
    browser.break("POST /auth/refresh", refuse(429));
    await expect(reopened.auth.refresh()).rejects.toMatchObject({ status: 429 });
    clock.advance(8 * 3600);
    await expectSignedIn(reopened);
    const [first, ...keys] = browser.requests.flatMap(({ key }) => key ?? []);
    expect(keys.length).toBe(5);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).not.toBe(first);
  });
});

describe("an API that is away", () => {
  test("503: the session stays, nobody is told it ended, and it goes on afterwards", async () => {
    const [tab] = await openSession({ age: 1000 });
    service.wire.break("UpdateItem sessions", fail, { times: 100 });
    const { cookie } = browser;
    const error = { status: 503, code: "unavailable", retryAfterSeconds: 1 };
    await expect(browser.patiently(tab.auth.fetch("/movies"))).rejects.toMatchObject(error);
    expect(browser.names).toEqual([...Array(3).fill("POST /auth/refresh 503"), "GET /movies 401"]);
    expect(browser.cookie).toBe(cookie);
    service.wire.mend();
    await browser.wait(2);
    await expectSignedIn(tab);
  });

  test.each<[string, number, (tab: Tab) => Promise<void>]>([
    ["40 s, it does not; nobody asks again until then", 40, () => browser.wait(40)],
    ["90 s, it does not; nobody asks again for a minute", 90, () => browser.wait(60)],
    ["40 s, it does not; a login ends the pause", 40, ({ auth }) => auth.login(credentials)],
  ])("asked to wait %s", async (_what, seconds, endPause) => {
    const [tab] = await openSession({ age: 1000 });
    browser.break("POST /auth/refresh", refuse(503, { "retry-after": String(seconds) }));
    const error = { status: 503, retryAfterSeconds: seconds };
    for (const act of [tab.auth.fetch, tab.auth.fetch, tab.auth.refresh])
      await expect(act("/movies")).rejects.toMatchObject(error);
    expect(browser.names).toEqual(["POST /auth/refresh 503", "GET /movies 401", "GET /movies 401"]);
    await endPause(tab);
    clock.advance(1000);
    await expectSignedIn(tab);
    expect(namesWith("refresh 200")).toEqual([refreshed]);
  });

  test("a GET that met a 503 is sent once more when it is asked to, another request is not", async () => {
    const [tab] = await openSession();
    browser.break("GET /auth/account", refuse(503, { "retry-after": "7" }));
    expect(await browser.patiently(tab.auth.account())).toMatchObject({ email: account.email });
    const [first, second] = browser.requests;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(7);
    browser.break("DELETE /auth/sessions", refuse(503, { "retry-after": "2" }));
    await expect(tab.auth.endAllSessions()).rejects.toMatchObject({ status: 503, retryAfterSeconds: 2 });
    const names = ["GET /auth/account 503", "GET /auth/account 200", "DELETE /auth/sessions 503"];
    expect(browser.names).toEqual(names);
  });
});
