import { expect, test } from "@jest/globals";
import { clock } from "../support/clock.ts";
import { loseAnswer } from "./browser.ts";
import { browser, credentials, expectSignedIn, namesWith, openSession, service } from "./setup.ts";

test("localStorage was full at a login or a logout: from the next save on the tab goes by it again, as others do", async () => {
  const tab = await browser.openTab();
  for (const act of [() => tab.auth.login(credentials), () => tab.auth.logout()]) {
    browser.limitStorage(0);
    await act();
    await browser.idle();
    browser.limitStorage(Infinity);
    clock.advance(100);
    await tab.auth.login(credentials);
    await browser.wait(850);
    browser.forget();
    for (let times = 1; times <= 5; times++) await expectSignedIn(tab);
    expect(namesWith("refresh")).toEqual([]);
  }
});

test("localStorage was full at a login: the tab follows what another tab stores after that", async () => {
  const [tab, next] = await openSession({ tabs: 2 });
  browser.limitStorage(0);
  await tab.auth.login(credentials);
  await browser.idle();
  browser.limitStorage(Infinity);
  clock.advance(1);
  const { email, password } = await service.register();
  await next.auth.login({ email, password });
  await browser.idle();
  expect(tab.starts()).toBe(1);
  await expectSignedIn(tab);
  await next.auth.logout();
  await browser.idle();
  expect(tab.ends).toEqual(["elsewhere"]);
});

test.each([
  ["the keys do not fit into localStorage: none is sent", 100, false],
  ["the keys fit into localStorage, and nothing else: they are sent", 150, true],
])("%s, and a reload goes on", async (_what, room, isSent) => {
  const tab = await browser.openTab();
  browser.limitStorage(room);
  await tab.auth.login(credentials);
  await browser.idle();
  for (const name of ["session-key", "idempotency-key"])
    expect(Object.hasOwn(browser.requests[0]?.headers ?? {}, name)).toBe(isSent);
  tab.close();
  clock.advance(1000);
  const reloaded = await browser.openTab();
  for (let times = 1; times <= 2; times++) {
    await expectSignedIn(reloaded);
    clock.advance(1000);
  }
});

test.each([
  ["a JWT's life that none has", { lifeMs: 1 }],
  ["a token", { token: "t", refreshToken: "r" }],
])("localStorage holds %s: it is not believed", async (_what, foreign) => {
  await openSession();
  browser.spoil(JSON.stringify({ ...browser.stored[0], ...foreign }));
  const tab = await browser.openTab();
  await browser.wait(10);
  await expectSignedIn(tab);
  expect(browser.names).toEqual(["GET /movies 200"]);
  expect(browser.requests[0]?.headers.authorization).toBeUndefined();
});

test.each([
  ["cookies and localStorage", { cookies: true }, 0, "missing_credentials"],
  ["localStorage", { cookies: false }, 1000, "session_key_required"],
])(
  "R52 %s are cleared while pages are open: each is told once, when it needs the session",
  async (_what, which, age, code) => {
    const [tab, other] = await openSession({ tabs: 2 });
    browser.clear(which);
    await browser.idle();
    expect(tab.ends).toEqual([]);
    clock.advance(age);
    for (let times = 1; times <= 2; times++) expect((await tab.auth.fetch("/movies")).status).toBe(401);
    await browser.idle();
    expect([tab.ends, other.ends]).toEqual([[code], ["elsewhere"]]);
  },
);

test("localStorage is full at a change of the password: the session that has its keys goes on", async () => {
  const as = await service.register();
  const [tab] = await openSession({ as });
  browser.limitStorage(0);
  await tab.auth.changePassword({ currentPassword: as.password, newPassword: `${as.password} anew` });
  browser.limitStorage(Infinity);
  await expectSignedIn(tab);
  expect(tab.ends).toEqual([]);
});

test("R53 a page without localStorage that is reloaded in the middle of a renewal keeps its session: it has no keys to lose", async () => {
  const options = { without: ["localStorage" as const] };
  const [tab] = await openSession({ age: 1000, ...options });
  browser.break("POST /auth/refresh", loseAnswer);
  void tab.auth.fetch("/movies");
  await browser.idle();
  tab.close();
  clock.advance(2);
  await expectSignedIn(await browser.openTab(options));
});
