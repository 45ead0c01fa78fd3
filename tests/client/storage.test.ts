import { expect, test } from "@jest/globals";
import { clock } from "../support/clock.ts";
import { browser, credentials, expectSignedIn, namesWith } from "./setup.ts";

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
