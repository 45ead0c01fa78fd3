import { beforeEach, describe, expect, test } from "@jest/globals";
import { clock } from "../support/clock.ts";
import { startService } from "../support/service.ts";
import { type Browser, createBrowser, loseRequest } from "./browser.ts";
import { expectSignedIn, openSession } from "./session.ts";

const service = await startService();
const account = await service.register();
const credentials = { email: account.email, password: account.password };
let browser: Browser;

beforeEach(() => {
  browser = createBrowser(service.sandbox);
});

const post = (body: unknown) => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

/** What three kinds of requests carry. */
const newPassword = "another sentence that is long enough";
const url = "https://abcdefghij.execute-api.eu-central-1.amazonaws.com/auth/password";
const repeated = ["POST /auth/password 401", "POST /auth/refresh 200", "POST /auth/password 200"];

describe("a request", () => {
  test.each<[string, (init: { body: string }) => [input: string | Request, init?: RequestInit]]>([
    ["with a body", (init) => [url, init]],
    ["that is a Request", (init) => [new Request(url, init)]],
  ])("%s is repeated whole after a 401, once", async (_what, argsOf) => {
    const owner = await service.register();
    const [tab] = await openSession(browser, owner, { asks: false });
    clock.advance(1000);
    const init = post({ currentPassword: owner.password, newPassword });
    expect((await tab.auth.fetch(...argsOf(init))).status).toBe(200);
    expect(browser.names).toEqual(repeated);
  });

  test("whose body is a stream is not repeated; the session is renewed, and its sender may send another", async () => {
    const owner = await service.register();
    const [tab] = await openSession(browser, owner, { asks: false });
    clock.advance(1000);
    const init = post({ currentPassword: owner.password, newPassword });
    const stream = () => ({ ...init, body: new Blob([init.body]).stream(), duplex: "half" }) as RequestInit;
    expect((await tab.auth.fetch(url, stream())).status).toBe(401);
    expect((await tab.auth.fetch(url, stream())).status).toBe(200);
    expect(browser.names).toEqual(repeated);
  });

  test("is not repeated when its answer is lost", async () => {
    const [tab] = await openSession(browser, account);
    browser.break("GET /movies", loseRequest);
    await expect(tab.auth.fetch("/movies")).rejects.toThrow(new TypeError("Failed to fetch"));
    browser.break("GET /auth/me", loseRequest);
    await expect(tab.auth.me()).rejects.toMatchObject({ status: 0, code: "network_error" });
    expect(browser.requests.length).toBe(2);
  });

  test("to a baseUrl with a path goes there", async () => {
    const tab = await browser.openTab({ baseUrl: "/v1/" });
    await expect(tab.auth.me()).rejects.toMatchObject({ status: 404, code: "not_found" });
    await tab.auth.fetch("movies");
    expect(browser.names).toEqual(["GET /v1/auth/me 404", "GET /v1/movies 404"]);
  });

  test("to another origin is left as it is: no credentials, no renewal", async () => {
    const seen: unknown[][] = [];
    const [tab] = await openSession(browser, account);
    const stranger = await browser.openTab({
      fetch: async (...args) => {
        seen.push(args);
        return new Response(null, { status: 401 });
      },
    });
    clock.advance(1000);
    const init = { headers: { "x-test": "1" } };
    expect((await stranger.auth.fetch("https://elsewhere.example/movies", init)).status).toBe(401);
    expect(
      (await stranger.auth.fetch("http://abcdefghij.execute-api.eu-central-1.amazonaws.com/movies")).status,
    ).toBe(401);
    expect(seen).toEqual([
      ["https://elsewhere.example/movies", init],
      ["http://abcdefghij.execute-api.eu-central-1.amazonaws.com/movies", {}],
    ]);
    expect(browser.requests).toEqual([]);
    await expectSignedIn(tab);
  });
});

describe("a wrong password", () => {
  test("is a refusal, not a reason to renew", async () => {
    const [tab] = await openSession(browser, account);
    clock.advance(100);
    const wrong = { currentPassword: "no password of mine", newPassword: account.password };
    const refusal = { status: 401, code: "invalid_credentials", detail: "The current password is wrong." };
    await expect(tab.auth.changePassword(wrong)).rejects.toMatchObject(refusal);
    await expect(tab.auth.deleteAccount({ password: "no password of mine" })).rejects.toMatchObject(refusal);
    await expect(tab.auth.login({ ...credentials, password: "no password of mine" })).rejects.toMatchObject({
      status: 401,
      code: "invalid_credentials",
    });
    expect(browser.names).toEqual([
      "POST /auth/password 401",
      "DELETE /auth/account 401",
      "POST /auth/login 401",
    ]);
    await expectSignedIn(tab);
  });

  test("is told after the renewal that an expired JWT needs", async () => {
    const [tab] = await openSession(browser, account, { asks: false });
    clock.advance(1000);
    await expect(tab.auth.deleteAccount({ password: "no password of mine" })).rejects.toMatchObject({
      code: "invalid_credentials",
    });
    expect(browser.names).toEqual([
      "DELETE /auth/account 401",
      "POST /auth/refresh 200",
      "DELETE /auth/account 401",
    ]);
  });
});

describe("a refusal is an AuthError", () => {
  test("with one entry for each field at fault", async () => {
    const tab = await browser.openTab();
    const error = await tab.auth.register({ email: "nobody", password: "short" }).catch((caught) => caught);
    expect({ ...error, message: error.message, name: error.name }).toEqual({
      name: "AuthError",
      status: 400,
      code: "invalid_body",
      message: error.detail,
      detail: expect.stringContaining("email must be"),
      errors: [
        { pointer: "#/email", detail: expect.stringContaining("must be an e-mail address") },
        { pointer: "#/password", detail: "must have 15 to 256 characters" },
      ],
      retryAfterSeconds: undefined,
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  test("that says when to try again", async () => {
    const { email } = await service.register();
    const tab = await browser.openTab();
    for (let times = 1; times <= 5; times++) {
      await expect(tab.auth.login({ email, password: "no password of mine" })).rejects.toMatchObject({
        status: 401,
      });
    }
    await expect(tab.auth.login({ email, password: "no password of mine" })).rejects.toMatchObject({
      status: 429,
      code: "too_many_attempts",
      retryAfterSeconds: 30,
    });
    expect(browser.requests.length).toBe(6);
  });

  test("also where something in between answered", async () => {
    const tab = await browser.openTab();
    const page = async () => ({
      statusCode: 200,
      headers: { "content-type": "text/html" },
      body: "<p>Welcome to the hotel",
    });
    browser.break("POST /auth/login", page as never);
    await expect(tab.auth.login(credentials)).rejects.toMatchObject({ status: 0, code: "network_error" });
  });
});

describe("the methods", () => {
  test("register, log in, list and end sessions, change the password, export, log out", async () => {
    const [tab, second, third] = [await browser.openTab(), ...(await otherBrowsers(2))];
    const fresh = { email: `fresh-${clock.now}@example.com`, password: "a sentence that is long enough" };
    const { userId, email } = await tab.auth.register(fresh);
    expect(email).toBe(fresh.email);
    await expect(tab.auth.register(fresh)).rejects.toMatchObject({ status: 409, code: "email_taken" });
    for (const { auth } of [second, third, tab]) {
      clock.advance(1);
      await auth.login(fresh);
    }
    expect(await tab.auth.me()).toMatchObject({ sub: userId, email });
    expect(await tab.auth.account()).toMatchObject({ userId, email, roles: [] });

    const sessions = await tab.auth.sessions();
    expect(sessions.map(({ current }) => current)).toEqual([true, false, false]);
    await tab.auth.endSession(sessions[2]?.sessionId ?? "");
    await expect(tab.auth.endSession("../../logout")).rejects.toMatchObject({ status: 404 });
    expect((await tab.auth.sessions()).length).toBe(2);

    await tab.auth.changePassword({ currentPassword: fresh.password, newPassword });
    expect((await tab.auth.sessions()).map(({ current }) => current)).toEqual([true]);
    await second.auth.login({ email, password: newPassword });
    await tab.auth.endAllSessions({ exceptCurrent: true });
    expect((await tab.auth.sessions()).map(({ current }) => current)).toEqual([true]);
    await tab.auth.logout();
    await expect(tab.auth.me()).rejects.toMatchObject({ status: 401, code: "missing_credentials" });
  });

  test("sessions() gives all of them, page by page", async () => {
    const [tab] = await openSession(browser, account);
    const { sub: userId } = await tab.auth.me();
    const [stored] = await service.database.sessionsOf(userId);
    const others = Array.from({ length: 230 }, (_, index) => ({ ...stored, sessionId: `copy-${index}` }));
    await service.database.putAll("sessions", others);
    const sessions = await tab.auth.sessions();
    expect(new Set(sessions.map(({ sessionId }) => sessionId)).size).toBeGreaterThan(230);
    expect(browser.names.filter((name) => name.startsWith("GET /auth/sessions")).length).toBeGreaterThan(2);
  });
});

describe("a browser that forbids storage", () => {
  test.each<[string, ("localStorage" | "locks")[]]>([
    ["localStorage", ["localStorage"]],
    ["localStorage and Web Locks", ["localStorage", "locks"]],
  ])("%s: a page works by itself", async (_what, without) => {
    const [tab] = await openSession(browser, account, { without });
    await browser.wait(4000);
    await expectSignedIn(tab);
    expect(new Set(browser.names)).toEqual(new Set(["POST /auth/refresh 200", "GET /movies 200"]));
    expect(browser.stored).toEqual([]);
  });

  test.each(["null", "5", "{", '"text"', "[]"])("or holds %s there", async (text) => {
    const [first] = await openSession(browser, account);
    browser.spoil(text);
    const tab = await browser.openTab();
    clock.advance(1000);
    await expectSignedIn(first, tab);
  });
});

async function otherBrowsers(count: number) {
  return Promise.all(
    Array.from({ length: count }, () => createBrowser(service.sandbox).openTab()),
  ) as Promise<[Awaited<ReturnType<Browser["openTab"]>>, Awaited<ReturnType<Browser["openTab"]>>]>;
}
