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

test.each([
  ["cookies and localStorage", { cookies: true }, 0, "missing_credentials"],
  ["localStorage", { cookies: false }, 1000, "session_key_required"],
])(
  "%s are cleared while pages are open: each is told once, when it needs the session",
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

test("a page without localStorage that is reloaded in the middle of a renewal keeps its session: it has no keys to lose", async () => {
  const options = { without: ["localStorage" as const] };
  const [tab] = await openSession({ age: 1000, ...options });
  browser.break("POST /auth/refresh", loseAnswer);
  void tab.auth.fetch("/movies");
  await browser.idle();
  tab.close();
  clock.advance(2);
  await expectSignedIn(await browser.openTab(options));
});
