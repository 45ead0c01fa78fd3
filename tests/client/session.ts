import { expect } from "@jest/globals";
import type { Account } from "../support/service.ts";
import type { Browser, Tab, TabOptions } from "./browser.ts";

interface SessionOptions extends TabOptions {
  /** How many tabs the browser has. */
  tabs?: number;
  /** The page asks who is logged in, as most do. */
  asks?: boolean;
}

/** Opens tabs and logs in, in the first of them; then forgets the requests of that. */
export async function openSession(
  browser: Browser,
  { email, password }: Account,
  { tabs: count = 1, asks = true, ...options }: SessionOptions = {},
): Promise<[Tab, Tab, Tab]> {
  const tabs = await Promise.all(Array.from({ length: count }, () => browser.openTab(options)));
  await tabs[0]?.auth.login({ email, password });
  if (asks) await tabs[0]?.auth.me();
  await browser.idle();
  browser.forget();
  return tabs as [Tab, Tab, Tab];
}

/** Asserts that the session is alive in these tabs, and that none was told otherwise. */
export async function expectSignedIn(...tabs: Tab[]): Promise<void> {
  for (const { auth, ends } of tabs) {
    const response = await auth.fetch("/movies");
    expect(await response.json()).toEqual(["Avatar", "Avengers"]);
    expect(ends).toEqual([]);
  }
}
