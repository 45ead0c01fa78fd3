import { beforeEach, describe, expect, test } from "@jest/globals";
import { clock } from "../support/clock.ts";
import { fail } from "../support/faults.ts";
import { startService } from "../support/service.ts";
import { type Browser, createBrowser, loseAnswer, loseRequest, refuse } from "./browser.ts";
import { expectSignedIn, openSession } from "./session.ts";

const service = await startService();
const account = await service.register();
let browser: Browser;

beforeEach(() => {
  browser = createBrowser(service.sandbox);
});

describe("when a pair is renewed", () => {
  test("shortly before its JWT expires, by itself, for as long as the page is open", async () => {
    const [tab] = await openSession(browser, account);
    await browser.wait(839);
    expect(browser.names).toEqual([]);
    await browser.wait(1);
    expect(browser.names).toEqual(["POST /auth/refresh 200"]);
    await browser.wait(100_000);
    expect(new Set(browser.names)).toEqual(new Set(["POST /auth/refresh 200"]));
    expect(browser.requests.length).toBe(1 + Math.floor(100_000 / 840));
    await expectSignedIn(tab);
  });

  test("at its next use, if the device slept", async () => {
    const [tab] = await openSession(browser, account);
    clock.advance(7200);
    await expectSignedIn(tab);
    expect(browser.names).toEqual(["POST /auth/refresh 200", "GET /movies 200"]);
  });

  test("at a 401, if nobody knows when the JWT expires; the request is sent once more", async () => {
    const [tab] = await openSession(browser, account, { asks: false });
    clock.advance(1000);
    await expectSignedIn(tab);
    expect(browser.names).toEqual(["GET /movies 401", "POST /auth/refresh 200", "GET /movies 200"]);
  });

  test("while the JWT lives, nobody waits for it", async () => {
    const [tab] = await openSession(browser, account);
    clock.advance(845);
    const { release } = browser.hold("POST /auth/refresh");
    await expectSignedIn(tab);
    expect(browser.names.toSorted()).toEqual(["GET /movies 200", "POST /auth/refresh lost"]);
    release();
    await browser.idle();
    expect(browser.names.toSorted()).toEqual(["GET /movies 200", "POST /auth/refresh 200"]);
  });

  test("never before it is 60 s old", async () => {
    const [tab] = await openSession(browser, account);
    clock.advance(59);
    await tab.auth.refresh();
    expect(browser.names).toEqual([]);
    clock.advance(1);
    await tab.auth.refresh();
    await tab.auth.refresh();
    expect(browser.names).toEqual(["POST /auth/refresh 200"]);
  });

  test("a page that never asks who it is learns how long a JWT lives by itself, once", async () => {
    const [tab] = await openSession(browser, account, { asks: false });
    await browser.wait(3600);
    expect(browser.names).toEqual(["GET /auth/me 200", ...Array(4).fill("POST /auth/refresh 200")]);
    await expectSignedIn(tab);
  });

  test("in time also by a page that is busy, and never asks who it is", async () => {
    const [tab] = await openSession(browser, account, { asks: false });
    for (let seconds = 0; seconds < 900; seconds += 5) {
      await browser.wait(5);
      await tab.auth.fetch("/movies");
    }
    const others = browser.names.filter((name) => name !== "GET /movies 200");
    expect(others).toEqual(["GET /auth/me 200", "POST /auth/refresh 200"]);
  });

  test("again and again, when the API gives shorter JWTs than before", async () => {
    const [tab] = await openSession(browser, account);
    clock.advance(1000);
    const short = service.createSandbox({ ACCESS_TOKEN_TTL_SECONDS: "120" });
    browser.moveTo(short);
    await expectSignedIn(tab);
    clock.advance(200);
    await expectSignedIn(tab); // At a 401: the life was not what it had been.
    browser.forget();
    await browser.wait(900);
    expect(browser.names).toEqual(["GET /auth/me 200", ...Array(10).fill("POST /auth/refresh 200")]);
  });

  test("whatever the device's clock shows, and when it is set", async () => {
    browser.setClock(-90_000_000);
    const [tab] = await openSession(browser, account);
    await browser.wait(840);
    expect(browser.names).toEqual(["POST /auth/refresh 200"]);
    browser.setClock(90_000_000);
    clock.advance(60);
    await expectSignedIn(tab);
    browser.setClock(0);
    clock.advance(60);
    await expectSignedIn(tab);
    await browser.idle();
    expect(browser.names.filter((name) => name !== "GET /movies 200")).toEqual(
      Array(3).fill("POST /auth/refresh 200"),
    );
  });

  test("a minute late, if the device's clock was set back to where the pair was new", async () => {
    const [tab] = await openSession(browser, account);
    clock.advance(3600);
    browser.setClock(-3590);
    expect((await tab.auth.fetch("/movies")).status).toBe(401);
    clock.advance(50);
    await expectSignedIn(tab);
    expect(browser.names).toEqual([
      "GET /movies 401",
      "GET /movies 401",
      "POST /auth/refresh 200",
      "GET /movies 200",
    ]);
  });

  test.each([26, 60, 120])("a JWT of %i s is renewed in time, too", async (life) => {
    const short = service.createSandbox({
      ACCESS_TOKEN_TTL_SECONDS: String(life),
      REFRESH_MIN_INTERVAL_SECONDS: "13",
    });
    browser = createBrowser(short);
    const [tab] = await openSession(browser, account);
    await browser.wait(10 * life);
    expect(new Set(browser.names)).toEqual(new Set(["POST /auth/refresh 200"]));
    await expectSignedIn(tab);
  });
});

describe("tabs", () => {
  test("of one browser whose JWT expires in all of them renew once", async () => {
    const tabs = await openSession(browser, account, { tabs: 3 });
    clock.advance(1000);
    await Promise.all(tabs.map((tab) => expectSignedIn(tab)));
    expect(browser.names.toSorted()).toEqual([...Array(3).fill("GET /movies 200"), "POST /auth/refresh 200"]);
  });

  test("renew once when none of them knows when the JWT expires", async () => {
    const tabs = await openSession(browser, account, { tabs: 3, asks: false });
    clock.advance(1000);
    await Promise.all(tabs.map((tab) => expectSignedIn(tab)));
    expect(browser.names.filter((name) => name.startsWith("POST"))).toEqual(["POST /auth/refresh 200"]);
  });

  test("renew once by their timers", async () => {
    const tabs = await openSession(browser, account, { tabs: 3 });
    await browser.wait(3600);
    expect(browser.names).toEqual(Array(4).fill("POST /auth/refresh 200"));
    await expectSignedIn(...tabs);
  });
});

describe("an answer that is lost", () => {
  test.each([
    ["the request", loseRequest],
    ["the answer", loseAnswer],
  ])("%s: the refresh is repeated with its key", async (_what, fault) => {
    const [tab] = await openSession(browser, account);
    clock.advance(1000);
    browser.break("POST /auth/refresh", fault, { times: 2 });
    await browser.patiently(expectSignedIn(tab));
    expect(browser.names).toEqual([
      "POST /auth/refresh lost",
      "POST /auth/refresh lost",
      "POST /auth/refresh 200",
      "GET /movies 200",
    ]);
    expect(new Set(browser.requests.slice(0, 3).map(({ key }) => key)).size).toBe(1);
  });

  test("while the network is away nothing is lost, and the next use repeats it, hours later", async () => {
    const [tab] = await openSession(browser, account);
    clock.advance(1000);
    browser.break("POST /auth/refresh", loseAnswer, { times: 3 });
    await expect(browser.patiently(tab.auth.fetch("/movies"))).rejects.toMatchObject({
      name: "AuthError",
      status: 0,
      code: "network_error",
    });
    expect(browser.names).toEqual([...Array(3).fill("POST /auth/refresh lost"), "GET /movies 401"]);
    clock.advance(4 * 3600);
    await expectSignedIn(tab);
    expect(browser.names.slice(4)).toEqual(["POST /auth/refresh 200", "GET /movies 200"]);
    const keys = browser.requests.filter(({ name }) => name.startsWith("POST")).map(({ key }) => key);
    expect(new Set(keys).size).toBe(1);
  });

  test("a tab that is closed in the middle leaves its refresh to the next one", async () => {
    const [tab, other] = await openSession(browser, account, { tabs: 2 });
    clock.advance(1000);
    browser.break("POST /auth/refresh", loseAnswer);
    void tab.auth.fetch("/movies");
    await browser.idle();
    tab.close();
    await expectSignedIn(other, await browser.openTab());
    const [lost, repeated] = browser.requests;
    expect(browser.names.slice(0, 2)).toEqual(["POST /auth/refresh lost", "POST /auth/refresh 200"]);
    expect(repeated?.key).toBe(lost?.key);
  });
});

describe("an API that is away", () => {
  test("503: the session stays, nobody is told it ended, and it goes on afterwards", async () => {
    const [tab] = await openSession(browser, account);
    clock.advance(1000);
    service.wire.break("UpdateItem sessions", fail, { times: 100 });
    const cookie = browser.cookie;
    await expect(browser.patiently(tab.auth.fetch("/movies"))).rejects.toMatchObject({
      status: 503,
      code: "unavailable",
      retryAfterSeconds: 1,
    });
    expect(browser.names).toEqual([...Array(3).fill("POST /auth/refresh 503"), "GET /movies 401"]);
    expect(browser.cookie).toBe(cookie);
    service.wire.mend();
    await browser.wait(2);
    await expectSignedIn(tab);
  });

  test("it waits as long as it is asked to, and not less", async () => {
    const [tab] = await openSession(browser, account);
    clock.advance(1000);
    browser.break("POST /auth/refresh", refuse(503, { "retry-after": "7" }));
    await browser.patiently(expectSignedIn(tab));
    const [first, second] = browser.requests;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(7);
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeLessThanOrEqual(11);
  });

  test("it does not wait for longer than 10 s; then nobody asks again for a while", async () => {
    const [tab] = await openSession(browser, account);
    clock.advance(1000);
    browser.break("POST /auth/refresh", refuse(503, { "retry-after": "40" }));
    await expect(tab.auth.fetch("/movies")).rejects.toMatchObject({ status: 503, retryAfterSeconds: 40 });
    await expect(tab.auth.fetch("/movies")).rejects.toMatchObject({ status: 503 });
    await expect(tab.auth.refresh()).rejects.toMatchObject({ status: 503 });
    expect(browser.names).toEqual(["POST /auth/refresh 503", "GET /movies 401", "GET /movies 401"]);
    await browser.wait(40);
    await expectSignedIn(tab);
  });

  test.each([429, 500, 502, 504])("%i from the gateway does not end a session either", async (status) => {
    const [tab] = await openSession(browser, account);
    clock.advance(1000);
    browser.break("POST /auth/refresh", refuse(status), { times: status === 429 ? 1 : 3 });
    await expect(browser.patiently(tab.auth.fetch("/movies"))).rejects.toMatchObject({
      status,
      code: `http_${status}`,
    });
    await expectSignedIn(tab);
  });

  test("a GET that met a 503 is sent once more when it is asked to, another request is not", async () => {
    const [tab] = await openSession(browser, account);
    browser.break("GET /auth/account", refuse(503, { "retry-after": "2" }));
    expect(await browser.patiently(tab.auth.account())).toMatchObject({ email: account.email });
    browser.break("DELETE /auth/sessions", refuse(503, { "retry-after": "2" }));
    await expect(tab.auth.endAllSessions()).rejects.toMatchObject({ status: 503, retryAfterSeconds: 2 });
    expect(browser.names).toEqual([
      "GET /auth/account 503",
      "GET /auth/account 200",
      "DELETE /auth/sessions 503",
    ]);
  });
});
