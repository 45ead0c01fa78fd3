import { describe, expect, test } from "@jest/globals";
import { clock } from "../support/clock.ts";
import { refuse, type Tab } from "./browser.ts";
import {
  browser,
  claimsOfCookie,
  credentials,
  endElsewhere,
  expectSignedIn,
  openSession,
  service,
  sessionKey,
} from "./setup.ts";

const other = await service.register();

const acts = {
  refresh: ({ auth }: Tab) => auth.refresh(),
  login: ({ auth }: Tab) => auth.login({ email: other.email, password: other.password }),
  logout: ({ auth }: Tab) => auth.logout(),
  movies: ({ auth }: Tab) => auth.fetch("/movies"),
};

describe.each<[string, { tabs: number; without?: ("locks" | "events")[] }]>([
  ["in two tabs", { tabs: 2 }],
  ["in two tabs that no storage event has reached yet", { tabs: 2, without: ["events"] }],
  ["in one tab, without Web Locks", { tabs: 1, without: ["locks"] }],
])("%s", (_where, options) => {
  test.each<[string, "refresh" | "login" | "logout", keyof typeof acts, string]>([
    [
      "a login waits for a refresh, lest its cookie is overwritten",
      "refresh",
      "login",
      "POST /auth/login 200",
    ],
    [
      "a logout waits for a refresh, lest the cookie comes back",
      "refresh",
      "logout",
      "POST /auth/logout 200",
    ],
    ["a refresh waits for a login, and then is not needed", "login", "movies", "GET /movies 200"],
    ["a refresh waits for a logout, and then is not sent", "logout", "movies", "GET /movies 401"],
  ])("%s", async (_what, first, second, secondName) => {
    const [tab, another = tab] = await openSession({ ...options, age: 1000 });
    const { arrived, release } = browser.hold(`POST /auth/${first}`);
    const acting = acts[first](tab);
    await arrived;
    const waiting = acts[second](another);
    await browser.idle();
    expect(browser.names).toEqual([`POST /auth/${first} lost`]);
    release();
    await Promise.all([acting, waiting]);
    expect(browser.names).toEqual([`POST /auth/${first} 200`, secondName]);
    if ([first, second].includes("login")) expect(claimsOfCookie().sub).toBe(other.userId);
    else expect(browser.cookie).toBeUndefined();
  });
});

test("a 401 that arrives after another tab has renewed is repeated without a refresh", async () => {
  const [first, second] = await openSession({ tabs: 2, asks: false, age: 1000 });
  const held = browser.hold("GET /movies");
  const fetching = second.auth.fetch("/movies");
  await held.arrived;
  await first.auth.refresh();
  clock.advance(100);
  held.release();
  expect((await fetching).status).toBe(200);
  expect(browser.names).toEqual(["GET /movies 401", "POST /auth/refresh 200", "GET /movies 200"]);
});

test("without Web Locks a late error does not end the session that another tab has opened", async () => {
  const [first, second] = await openSession({ tabs: 2, without: ["locks", "events"], age: 1000 });
  await endElsewhere();
  const held = browser.hold("POST /auth/refresh");
  const refreshing = first.auth.refresh();
  await held.arrived;
  clock.advance(1);
  await second.auth.login(credentials);
  held.release();
  await refreshing;
  await expectSignedIn(first, second);
});

describe("the Idempotency-Key", () => {
  const keys = () => browser.requests.flatMap(({ key }) => key ?? []);

  test("goes with login and refresh only, and is the same in all tabs, but not in the cookie", async () => {
    const [first, second] = await openSession({ tabs: 2, age: 60 });
    const [{ key }] = browser.stored as [{ key: string }];
    expect(key).toMatch(/^[\w-]{36}$/);
    expect(browser.cookie).not.toContain(key);
    expect((await service.database.find("sessions", sessionKey()))?.keyed).toBe(true);
    browser.break("POST /auth/refresh", refuse(503, { "retry-after": "60" }), { times: 2 });
    for (const { auth } of [first, second])
      await expect(auth.refresh()).rejects.toMatchObject({ status: 503 });
    await Promise.all([first.auth.me(), first.auth.sessions(), first.auth.account()]);
    await first.auth.logout();
    expect(keys()).toEqual([key, key]);
    expect(browser.cookie).toBeUndefined();
  });

  test("is not sent by an application whose server refreshes, too", async () => {
    const [tab] = await openSession({ keys: false, age: 1000 });
    await tab.auth.refresh();
    expect(keys()).toEqual([]);
    expect((await service.database.find("sessions", sessionKey()))?.keyed).toBe(false);
    clock.advance(1000);
    const { cookies } = await service.sandbox.refresh({ cookies: [browser.cookie ?? ""] });
    browser.setCookie(cookies?.[0] ?? "");
    await expectSignedIn(tab);
  });
});
