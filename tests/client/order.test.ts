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
      "O40 a login waits for a refresh, lest its cookie is overwritten",
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
    ["O40 a refresh waits for a login, and then is not needed", "login", "movies", "GET /movies 200"],
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
    const names = browser.names.filter((name) => !name.includes("/auth/me"));
    expect(names).toEqual([`POST /auth/${first} 200`, secondName]);
    if ([first, second].includes("login")) expect(claimsOfCookie().sub).toBe(other.userId);
    else expect(browser.cookie).toBeUndefined();
  });
});

test("a 401 that arrives after another tab has renewed is repeated without a refresh", async () => {
  const [first, second] = await openSession({ tabs: 2, learns: false, age: 1000 });
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

test("a tab that was suspended, or asks by confirm(), holds the lock: the others go on without it", async () => {
  const [tab, another] = await openSession({ tabs: 2, age: 1000 });
  browser.holdLock();
  await browser.patiently(expectSignedIn(tab));
  await browser.patiently(another.auth.logout());
  expect(browser.cookie).toBeUndefined();
});

describe("a tab that was suspended before it read an answer follows what another has stored meanwhile", () => {
  const newPassword = "a new and longer sentence";
  type Owner = { email: string; password: string };
  const suspended: [string, string, (tab: Tab, owner: Owner) => Promise<unknown>][] = [
    ["a renewal", "POST /auth/refresh", acts.refresh],
    ["a login", "POST /auth/login", ({ auth }, owner) => auth.login(owner)],
    ["a logout", "POST /auth/logout", acts.logout],
    ["the end of all sessions", "DELETE /auth/sessions", ({ auth }) => auth.endAllSessions()],
    [
      "a change of the password",
      "POST /auth/password",
      ({ auth }, { password }) => auth.changePassword({ currentPassword: password, newPassword }),
    ],
  ];
  /** Logs in as somebody, acts, and is suspended; another tab does something else. */
  async function thaw(name: string, act: (typeof suspended)[0][2], meanwhile: ((tab: Tab) => unknown)[]) {
    const owner = await service.register();
    const [tab, another] = await openSession({ tabs: 2, as: owner, age: 1000 });
    const { arrived, release } = browser.hold(name);
    const acting = act(tab, owner).catch(() => {});
    await arrived;
    const wake = tab.suspend();
    release();
    for (const each of meanwhile) await browser.patiently(Promise.resolve(each(another)));
    const [{ lifeMs: _, ...stored }] = browser.stored;
    const { cookie } = browser;
    wake();
    await browser.patiently(acting);
    expect(browser.stored).toEqual([expect.objectContaining(stored)]);
    expect(browser.cookie).toBe(cookie);
    return [tab, another] as const;
  }

  test.each(suspended)("%s, and somebody else has logged in", async (_what, name, act) => {
    const [tab, another] = await thaw(name, act, [acts.logout, acts.login]);
    expect(tab.starts()).toBe(1);
    clock.advance(1000);
    await expectSignedIn(tab, another);
    expect(claimsOfCookie().sub).toBe(other.userId);
  });

  test.each(suspended)("%s, and the user has logged out", async (_what, name, act) => {
    const [tab] = await thaw(name, act, [acts.logout]);
    expect(tab.ends).toEqual(["elsewhere"]);
    expect((await acts.movies(tab)).status).toBe(401);
  });

  test("a renewal, and another tab has renewed twice: the newest keys stay", async () => {
    const renewed = [1, 2].map(() => (tab: Tab) => {
      clock.advance(1000);
      return tab.auth.refresh();
    });
    const [tab, another] = await thaw("POST /auth/refresh", acts.refresh, renewed);
    await expectSignedIn(tab, another);
  });
});

test("a login in one tab reaches the others, as a logout does", async () => {
  const [tab, another] = await openSession({ tabs: 2 });
  expect([tab.starts(), another.starts()]).toEqual([0, 1]);
  await another.auth.refresh();
  await tab.auth.logout();
  await another.auth.login({ email: other.email, password: other.password });
  await browser.idle();
  expect([tab.starts(), another.starts()]).toEqual([1, 1]);
  const late = await browser.openTab();
  await late.auth.me();
  expect(late.starts()).toBe(0);
});

describe("a late renewal puts nobody in the place of who has logged in", () => {
  type Meanwhile = (next: Tab) => Promise<unknown>;
  interface Lateness {
    hasLocks?: boolean;
    sleeps?: boolean;
    /** The cookie comes after the login. */
    isLate?: boolean;
    login?: Meanwhile;
    /** What happens before the tab wakes up. */
    meanwhile?: Meanwhile;
  }

  /** A tab renews, and reads the answer after somebody else has logged in. */
  async function comeLate({
    hasLocks,
    sleeps = true,
    isLate = true,
    login = acts.login,
    meanwhile,
  }: Lateness) {
    const without = hasLocks ? [] : ["locks" as const];
    const [tab, next] = await openSession({ tabs: 2, age: 850, without });
    const { arrived, release } = browser.hold("POST /auth/refresh");
    const using = tab.auth.fetch("/movies");
    await arrived;
    const wake = sleeps ? tab.suspend() : () => {};
    if (!isLate) release();
    await browser.patiently(login(next));
    if (hasLocks) await browser.wait(15);
    release();
    await browser.idle();
    await meanwhile?.(next);
    wake();
    await browser.patiently(using);
    await browser.idle();
    return [tab, next] as const;
  }

  const withoutLook: Meanwhile = async (next) => {
    browser.break("GET /auth/me", refuse(502));
    await acts.login(next);
  };
  const ofLongerLife: Meanwhile = async (next) => {
    browser.moveTo(service.createSandbox({ ACCESS_TOKEN_TTL_SECONDS: "1800" }));
    await acts.login(next);
  };
  const look: Meanwhile = ({ auth }) => auth.me();

  test.each<[string, Lateness]>([
    ["a tab without Web Locks", { sleeps: false }],
    ["a suspended tab that holds the lock", { hasLocks: true }],
    ["a suspended tab, while their JWTs have different lives", { login: ofLongerLife, meanwhile: look }],
    ["a suspended tab, while the first look of the other failed", { login: withoutLook, meanwhile: look }],
    ["a suspended tab, whose cookie came before that login", { hasLocks: true, isLate: false }],
  ])("of %s", async (_what, lateness) => {
    const { isLate = true } = lateness;
    const [tab, next] = await comeLate(lateness);
    const left = await next.auth.me().catch(({ status }) => ({ sub: status }));
    expect(left.sub).toBe(isLate ? 401 : other.userId);
    expect([tab.ends, next.ends]).toEqual(isLate ? [["elsewhere"], ["elsewhere"]] : [[], []]);
  });

  test.each<["logout" | "login" | "refresh", string[], string[]]>([
    ["logout", ["elsewhere"], []],
    ["login", [], []],
    ["refresh", ["elsewhere"], ["token_expired"]],
  ])("and a %s comes while its tab looks whose the cookie is: an end is told once", async (act, ...told) => {
    let look = { arrived: Promise.resolve(), release() {} };
    const [tab, next] = await comeLate({
      hasLocks: true,
      meanwhile: async () => {
        look = browser.hold("GET /auth/me");
      },
    });
    await look.arrived;
    clock.advance(61);
    const acting = browser.hold(`POST /auth/${act}`);
    const acted = acts[act](next).catch(() => {});
    await acting.arrived;
    look.release();
    await browser.idle();
    acting.release();
    await acted;
    await browser.idle();
    expect([tab.ends, next.ends]).toEqual(told);
    const names = browser.names.filter((name) => name.includes("/auth/log"));
    expect(names).toEqual(["POST /auth/login 200", `POST /auth/${act === "login" ? "login" : "logout"} 200`]);
    expect((await acts.movies(next)).status).toBe(act === "login" ? 200 : 401);
  });
});
