import { beforeEach, expect } from "@jest/globals";
import type { Tokens } from "../../client/auth-client.ts";
import { clock } from "../support/clock.ts";
import { decodeClaims } from "../support/pair.ts";
import { startService } from "../support/service.ts";
import { type Browser, createBrowser, refuse, type Tab, type TabOptions } from "./browser.ts";

/** The API of this file's tests. */
export const service = await startService();
/** An account that all of them use. */
export const account = await service.register();
export const credentials = { email: account.email, password: account.password };
/** Each test has a browser of its own. */
export let browser: Browser;

beforeEach(() => {
  browser = createBrowser(service.sandbox);
});

/** How a session is opened. */
export interface SessionOptions extends TabOptions {
  /** How many tabs the browser has. */
  tabs?: number;
  /** The client learns at the login how long a JWT lives; by default it does. */
  learns?: boolean;
  /** Seconds that pass after the login. */
  age?: number;
  /** Where and who, if not `browser` and `account`. */
  in?: Browser;
  as?: { email: string; password: string };
}

/** Keeps tokens as a program keeps them: as text. */
export function createStore() {
  const saved: (Tokens | undefined)[] = [];
  let text: string | undefined;
  return {
    saved,
    load: (): Tokens | undefined => text && JSON.parse(text),
    async save(tokens: Tokens | undefined): Promise<void> {
      saved.push(tokens);
      text = tokens && JSON.stringify(tokens);
    },
  };
}

/** Opens tabs and logs in, in the first of them; then forgets the requests of that. */
export async function openSession(options: SessionOptions = {}): Promise<[Tab, Tab, Tab]> {
  const { tabs: count = 1, learns = true, age = 0, in: where = browser, as = account, ...others } = options;
  const tabs = await Promise.all(Array.from({ length: count }, () => where.openTab(others)));
  if (!learns) where.break("GET /auth/me", refuse(502));
  await tabs[0]?.auth.login({ email: as.email, password: as.password });
  await where.idle();
  where.forget();
  clock.advance(age);
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

/** What the access token in the browser's cookie says. */
export function claimsOfCookie() {
  const { cookie = "" } = browser;
  return decodeClaims(JSON.parse(decodeURIComponent(cookie.slice(cookie.indexOf("=") + 1))).token);
}

/** The key of the browser's session in the table. */
export function sessionKey() {
  const { sub: userId, sid: sessionId } = claimsOfCookie();
  return { userId, sessionId };
}

/** Deletes the browser's session past the API, as another device or an operator may. */
export const endElsewhere = () => service.database.delete("sessions", sessionKey());

/** The requests whose names hold this text. */
export const namesWith = (text: string) => browser.names.filter((name) => name.includes(text));
