import { describe, expect, test } from "@jest/globals";
import { clock } from "../support/clock.ts";
import { createBrowser, loseRequest, refuse, type Tab } from "./browser.ts";
import { account, browser, createStore, credentials, expectSignedIn, openSession, service } from "./setup.ts";

const api = "https://abcdefghij.execute-api.eu-central-1.amazonaws.com";
const url = `${api}/auth/account`;
const newPassword = "another sentence that is long enough";
const wrongPassword = "no password of mine";
const invalidCredentials = { status: 401, code: "invalid_credentials" };

test("a login whose look at the cookie is never answered ends after 30 s: it is logged in", async () => {
  const own = createBrowser(service.sandbox, { cookies: new Map(), storage: new Map() });
  const tab = await own.openTab();
  const { arrived } = own.hold("GET /auth/me");
  let isDone = false;
  const login = tab.auth.login(credentials).then(() => {
    isDone = true;
  });
  await arrived;
  await own.wait(29);
  expect(isDone).toBe(false);
  await own.wait(2);
  await login;
  await expectSignedIn(tab);
});

describe("a request", () => {
  test.each<
    [string, number, (body: string, init: RequestInit) => [input: string | Request, init?: RequestInit]]
  >([
    ["with a body is repeated whole after a 401", 204, (body, init) => [url, { ...init, body }]],
    ["that is a Request is repeated, too", 204, (body, init) => [new Request(url, { ...init, body })]],
    [
      "whose body is a stream is not: the session is renewed, and its sender may send another",
      401,
      (body, init) => [url, { ...init, body: new Blob([body]).stream(), duplex: "half" } as RequestInit],
    ],
  ])("%s", async (_what, status, argsOf) => {
    const owner = await service.register();
    const [tab] = await openSession({ as: owner, learns: false, age: 1000 });
    const body = JSON.stringify({ password: owner.password });
    const send = () =>
      tab.auth.fetch(...argsOf(body, { method: "DELETE", headers: { "content-type": "application/json" } }));
    expect((await send()).status).toBe(status);
    if (status === 401) expect((await send()).status).toBe(204);
    const names = ["DELETE /auth/account 401", "POST /auth/refresh 200", "DELETE /auth/account 204"];
    expect(browser.names).toEqual(names);
  });

  test.each<[string, boolean, string[]]>([
    ["is repeated after a renewal, if the JWT may have expired", false, ["refresh 200", "movies 200"]],
    ["is an answer, while the JWT lives", true, []],
  ])("that met the 403 of the gateway's authorizer %s", async (_what, learns, names) => {
    const [tab] = await openSession({ learns, age: 100 });
    browser.break("GET /movies", refuse(403));
    expect((await tab.auth.fetch("/movies")).status).toBe(learns ? 403 : 200);
    expect(browser.names.map((name) => name.split("/").at(-1))).toEqual(["movies 403", ...names]);
    browser.break("GET /movies", refuse(403, {}, { code: "missing_role" }));
    clock.advance(1000);
    expect((await tab.auth.fetch("/movies")).status).toBe(403);
  });

  test("is not repeated when its response is lost", async () => {
    const [tab] = await openSession();
    browser.break("GET", loseRequest, { times: 2 });
    await expect(tab.auth.fetch("/movies")).rejects.toThrow(new TypeError("Failed to fetch"));
    await expect(tab.auth.me()).rejects.toMatchObject({ status: 0, code: "network_error" });
    expect(browser.requests.length).toBe(2);
  });

  test("to a baseUrl with a path goes there", async () => {
    const tab = await browser.openTab({ baseUrl: "/v1/" });
    await expect(tab.auth.me()).rejects.toMatchObject({ status: 404, code: "not_found" });
    await tab.auth.fetch("movies");
    expect(browser.names).toEqual(["GET /v1/auth/me 404", "GET /v1/movies 404"]);
  });

  describe.each([
    ["a cookie client", () => undefined],
    ["a bearer client", createStore],
  ])("of %s to another origin", (_who, createTokens) => {
    const sent: Request[] = [];
    async function openElsewhere(): Promise<[Tab, Tab]> {
      const tokens = createTokens();
      const options = tokens ? { tokens } : {};
      const [tab] = await openSession({ age: 1000, ...options });
      sent.length = 0;
      const send: typeof fetch = async (...args) => {
        sent.push(new Request(...args));
        return new Response(null, { status: 401 });
      };
      return [tab, await browser.openTab({ ...options, fetch: send })];
    }

    test.each<[string, RequestInit]>([
      ["https://elsewhere.example/movies", { headers: { "x-test": "1" } }],
      [`${api.replace("https", "http")}/movies`, {}],
    ])("is left as it is: no credentials, no renewal: %s", async (url, init) => {
      const [tab, { auth }] = await openElsewhere();
      expect((await auth.fetch(url, init)).status).toBe(401);
      expect(sent.map((request) => [request.url, Object.fromEntries(request.headers)])).toEqual([
        [url, init.headers ?? {}],
      ]);
      expect([sent[0]?.credentials, browser.requests]).toEqual(["same-origin", []]);
      await expectSignedIn(tab);
    });

    test.each(["https://elsewhere.example/notes", "//elsewhere.example/notes", `${api}.evil.example/notes`])(
      "that `call` makes has nothing but its body: %s",
      async (url) => {
        const [, { auth }] = await openElsewhere();
        await expect(auth.call(url, "POST", { text: "x" })).rejects.toMatchObject({ status: 401 });
        expect(sent.map(({ headers }) => Object.fromEntries(headers))).toEqual([
          { "content-type": "application/json" },
        ]);
        expect([sent[0]?.credentials, browser.requests]).toEqual(["same-origin", []]);
      },
    );

    test.each([undefined, { code: "lost" }])("that `open` would make is not sent: lost %j", async (lost) => {
      const [tab, { auth }] = await openElsewhere();
      const opening = auth.open("//elsewhere.example/login", credentials, lost);
      await expect(opening).rejects.toMatchObject({ name: "AuthError", status: 0, code: "unsupported" });
      expect(sent).toEqual([]);
      await expectSignedIn(tab);
    });
  });
});

test("a wrong password is an error, not a reason to renew", async () => {
  const [tab] = await openSession({ age: 100 });
  const { auth } = tab;
  const detail = "The current password is wrong.";
  const wrong = { currentPassword: wrongPassword, newPassword };
  await expect(auth.changePassword(wrong)).rejects.toMatchObject({ ...invalidCredentials, detail });
  await expect(auth.deleteAccount({ password: wrongPassword })).rejects.toMatchObject(invalidCredentials);
  const login = auth.login({ ...credentials, password: wrongPassword });
  await expect(login).rejects.toMatchObject(invalidCredentials);
  const names = ["POST /auth/password 401", "DELETE /auth/account 401", "POST /auth/login 401"];
  expect(browser.names).toEqual(["GET /auth/me 200", ...names]);
  await expectSignedIn(tab);
});

describe("what fails is an AuthError", () => {
  test("with one entry for each field at fault", async () => {
    const { auth } = await browser.openTab();
    const error = await auth.register({ email: "nobody", password: "short" }).catch((caught) => caught);
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
    const { auth } = await browser.openTab();
    const logIn = () => expect(auth.login({ email, password: wrongPassword })).rejects;
    for (let times = 1; times <= 5; times++) await logIn().toMatchObject({ status: 401 });
    await logIn().toMatchObject({ status: 429, code: "too_many_attempts", retryAfterSeconds: 30 });
    expect(browser.requests.length).toBe(6);
  });

  test("also where something in between answered", async () => {
    const { auth } = await browser.openTab();
    const headers = { "content-type": "text/html" };
    const page = async () => ({ statusCode: 200, headers, body: "<p>Welcome to the hotel" });
    browser.break("POST /auth/login", page as never);
    await expect(auth.login(credentials)).rejects.toMatchObject({ status: 0, code: "network_error" });
  });
});

describe("the methods", () => {
  test("register, log in, list and end sessions, change the password, export, log out", async () => {
    const [{ auth: second }, { auth: third }, { auth }] = await Promise.all([
      createBrowser(service.sandbox).openTab(),
      createBrowser(service.sandbox).openTab(),
      browser.openTab(),
    ]);
    const fresh = { email: `fresh-${clock.now}@example.com`, password: "a sentence that is long enough" };
    const isCurrent = async () => (await auth.sessions()).map(({ current }) => current);
    const { userId, email } = await auth.register(fresh);
    expect(email).toBe(fresh.email);
    await expect(auth.register(fresh)).rejects.toMatchObject({ status: 409, code: "email_taken" });
    for (const each of [second, third, auth]) {
      clock.advance(1);
      await each.login(fresh);
    }
    expect(await auth.me()).toMatchObject({ sub: userId, email });
    expect(await auth.account()).toMatchObject({ userId, email, roles: [] });
    expect(await isCurrent()).toEqual([true, false, false]);
    await auth.endSession((await auth.sessions())[2]?.sessionId ?? "");
    await expect(auth.endSession("../../logout")).rejects.toMatchObject({ status: 404 });
    expect(await isCurrent()).toEqual([true, false]);
    await auth.changePassword({ currentPassword: fresh.password, newPassword });
    expect(await isCurrent()).toEqual([true]);
    await second.login({ email, password: newPassword });
    await auth.endAllSessions({ exceptCurrent: true });
    expect(await isCurrent()).toEqual([true]);
    await auth.logout();
    await expect(auth.me()).rejects.toMatchObject({ status: 401, code: "missing_credentials" });
  });

  test("sessions() gives all of them, page by page", async () => {
    const [{ auth }] = await openSession();
    const [stored] = await service.database.sessionsOf(account.userId);
    const others = Array.from({ length: 230 }, (_, index) => ({ ...stored, sessionId: `copy-${index}` }));
    await service.database.putAll("sessions", others);
    const sessions = await auth.sessions();
    expect(new Set(sessions.map(({ sessionId }) => sessionId)).size).toBeGreaterThan(230);
    expect(browser.requests.length).toBeGreaterThan(2);
  });
});

describe("a login", () => {
  test.each([
    [{}, "cookies are off"],
    [{ baseUrl: "http://abcdefghij.execute-api.eu-central-1.amazonaws.com" }, "needs https"],
    [{ baseUrl: "https://api.example.com" }, "api.example.com is another site"],
  ])("whose cookie the browser does not keep says so and why: %j", async (options, reason) => {
    const tab = await browser.openTab(options);
    browser.blockCookies();
    const refused = { status: 401, code: "cookie_not_kept", detail: expect.stringContaining(reason) };
    await expect(tab.auth.login(credentials)).rejects.toMatchObject(refused);
    await browser.wait(3600);
    expect([browser.names.at(-1), tab.ends]).toEqual(["POST /auth/logout 200", []]);
  });

  test("whose cookie is not kept says so where an older one is there still, also when it was renewed", async () => {
    const [{ auth, ends }] = await openSession({ as: await service.register(), age: 1000 });
    await auth.refresh();
    browser.blockCookies();
    await expect(auth.login(credentials)).rejects.toMatchObject({ code: "cookie_not_kept" });
    expect(ends).toEqual([]);
  });

  test("in a runtime without crypto is refused with an error that names it", async () => {
    const tab = await browser.openTab({ without: ["crypto"] });
    const refused = { name: "AuthError", code: "unsupported", message: expect.stringContaining("crypto") };
    await expect(tab.auth.login(credentials)).rejects.toMatchObject(refused);
    await expect(tab.auth.me()).rejects.toMatchObject(refused);
  });
});

describe("a browser that forbids storage", () => {
  test.each<["localStorage" | "locks", ...("localStorage" | "locks")[]]>([
    ["localStorage"],
    ["localStorage", "locks"],
  ])("%s: a page works by itself", async (...without) => {
    const [tab] = await openSession({ without });
    await browser.wait(4000);
    await expectSignedIn(tab);
    expect(new Set(browser.names)).toEqual(new Set(["POST /auth/refresh 200", "GET /movies 200"]));
    expect(browser.stored).toEqual([]);
  });

  test.each([
    ...["null", "5", "{", '"text"', "[]", '{"key":"short"}', '{"sessionKey":7}'],
    '{"openedAtMs":{},"decidedAtMs":[]}',
  ])("or holds %s there: the Session-Key is lost, a login cures it", async (text) => {
    const [first] = await openSession();
    browser.spoil(text);
    const tab = await browser.openTab();
    clock.advance(1000);
    expect((await tab.auth.fetch("/movies")).status).toBe(401);
    expect(tab.ends).toEqual(["session_key_required"]);
    expect(browser.names).not.toContain("POST /auth/logout 200");
    await tab.auth.login(credentials);
    clock.advance(1000);
    expect((await first.auth.fetch("/movies")).status).toBe(200);
  });
});
