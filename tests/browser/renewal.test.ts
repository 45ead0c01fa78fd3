import { expect, test } from "@jest/globals";
import type { Page } from "playwright-core";
import type { Laptop } from "./support/chromium.ts";
import { click, createAccount, enter, isLoggedIn, openPage, says, startSite } from "./support/site.ts";
import { expectAccessible } from "./support/states.ts";

/** How long an access token lives here: what takes a quarter of an hour elsewhere is looked at in seconds. */
const lifeSeconds = 10;
const site = await startSite({
  ACCESS_TOKEN_TTL_SECONDS: String(lifeSeconds),
  REFRESH_MIN_INTERVAL_SECONDS: "3",
  REFRESH_WINDOW_SECONDS: "0",
});
const { network } = site;

type Visit = Awaited<ReturnType<typeof visit>>;

/** Somebody who has just registered, in a browser of their own. */
async function visit(laptop?: Laptop) {
  const account = createAccount();
  const context = await site.openBrowser({ viewport: { width: 900, height: 700 } }, laptop);
  const page = await site.openLoggedIn(account, context);
  const [session] = await site.sessionsOf(account);
  return { account, context, page, sessionId: session?.sessionId as string };
}

/** The same session as ever opens /movies, and is the only one. */
async function expectAlive({ page, account, sessionId }: Visit): Promise<void> {
  await click(page, "Call /movies");
  await says(page, '200: ["Avatar","Avengers"]');
  await isLoggedIn(page, account);
  expect((await site.sessionsOf(account)).map((session) => session.sessionId)).toEqual([sessionId]);
}

/** Asserts that a session was rotated since then, and after that no sooner than a client does by itself. */
function expectOneRotation(sessionId: string, { at, before }: { at: number; before: number }): void {
  const rotations = site.rotationsOf(sessionId) - before;
  const due = Math.floor((Date.now() - at) / (0.75 * lifeSeconds * 1_000));
  expect(rotations).toBeGreaterThan(0);
  expect(rotations).toBeLessThanOrEqual(1 + due);
}

/** Lives of access tokens go by. */
const pass = (lives: number) => new Promise((resolve) => setTimeout(resolve, lives * lifeSeconds * 1_000));

test("three tabs renew by themselves, at the same moment: one rotation, and all know of it", async () => {
  const context = await site.openBrowser();
  const tabs = [1, 2, 3].map(() => openPage(context, site.url));
  const [page, ...others] = (await Promise.all(tabs)) as [Page, ...Page[]];
  const account = createAccount();
  const since = { at: Date.now(), before: 0 };
  await enter(page, "register", account);
  await Promise.all([page, ...others].map((tab) => says(tab, "The session was renewed.")));
  const [session] = await site.sessionsOf(account);
  expectOneRotation(session?.sessionId, since);
  for (const tab of [page, ...others]) {
    await expectAlive({ context, page: tab, account, sessionId: session?.sessionId });
  }
  await context.close();
});

test("three tabs that open at once with an expired access token: one rotation, and nobody is signed out", async () => {
  const visitor = await visit();
  const { account, context, page, sessionId } = visitor;
  await page.close();
  await pass(1);
  const since = { at: Date.now(), before: site.rotationsOf(sessionId) };
  const tabs = await Promise.all([1, 2, 3].map(() => openPage(context, site.url)));
  await Promise.all(tabs.map((tab) => isLoggedIn(tab, account)));
  expectOneRotation(sessionId, since);
  for (const tab of tabs) await expectAlive({ ...visitor, page: tab });
  await context.close();
});

// The laptop's processes are stopped, and an hour is four lives of an access token.
test("a laptop falls asleep in the middle of a refresh, for an hour; the response is lost, or comes late", async () => {
  const sleepers = [];
  for (const end of ["lose", "release"] as const) {
    const laptop = await site.openLaptop();
    const visitor = await visit(laptop);
    const answer = await network.hold("/auth/refresh");
    laptop.sleep();
    sleepers.push({ ...visitor, laptop, wake: () => [answer[end](), laptop.wake()] });
  }
  const { length } = network.statusesOf("/auth/refresh");
  await pass(4);
  expect(network.statusesOf("/auth/refresh")).toHaveLength(length);
  for (const { laptop, wake, ...visitor } of sleepers) {
    wake();
    await says(visitor.page, "The session was renewed.");
    await expectAlive(visitor);
    await laptop.close();
  }
});

test("the network is cut in the middle of a refresh, for longer than the access token lives, and comes back", async () => {
  const visitor = await visit();
  const { context, page, sessionId } = visitor;
  await network.hold("/auth/refresh");
  const rotations = site.rotationsOf(sessionId);
  network.cut();
  await says(page, "The API cannot be reached.");
  await isLoggedIn(page, visitor.account);
  const again = network.hold("/auth/refresh");
  network.mend();
  const repeated = await again;
  expect(site.rotationsOf(sessionId)).toBe(rotations);
  repeated.release();
  await says(page, "The session was renewed.");
  await expectAlive(visitor);
  await context.close();
});

test("the tab is closed in the middle of a refresh, and the response is lost: another tab goes on", async () => {
  const visitor = await visit();
  const { account, context, page, sessionId } = visitor;
  const answer = await network.hold("/auth/refresh");
  const rotations = site.rotationsOf(sessionId);
  await page.close();
  answer.lose();
  const again = network.hold("/auth/refresh");
  const opened = openPage(context, site.url);
  const repeated = await again;
  expect(site.rotationsOf(sessionId)).toBe(rotations);
  repeated.release();
  const tab = await opened;
  await isLoggedIn(tab, account);
  await expectAlive({ ...visitor, page: tab });
  await context.close();
});

test("a tab that is suspended with the lock of all tabs in its hands: another logs out without it", async () => {
  const { context, page } = await visit();
  const suspended = await openPage(context, site.url);
  await suspended.evaluate(
    `navigator.locks.request("auth-client ${site.url}/", { steal: true }, () => new Promise(() => {}))
      .catch(() => {}) && undefined`,
  );
  await click(page, "Log out");
  await says(page, "Logged out.");
  expect(await context.cookies()).not.toContainEqual(expect.objectContaining({ name: "auth-cookie" }));
  await context.close();
});

test("a copied cookie opens things for one life of an access token; it is never renewed, and the victim goes on", async () => {
  const visitor = await visit();
  const thief = await site.openBrowser();
  // The page asks nothing for a visitor who never logged in here; a thief does.
  await thief.addInitScript('localStorage.setItem("signed-in", "yes")');
  let stolen: Page;
  do {
    // It may be over by the time at which it is used.
    await thief.addCookies(await visitor.context.cookies());
    stolen = await openPage(thief, site.url);
  } while (!(await stolen.locator("#signed-in").isVisible()));
  await isLoggedIn(stolen, visitor.account);
  await says(stolen, "Your session has ended.");
  expect(site.output()).toContain('"event":"authn_session_key_missing"');
  await expectAccessible(stolen, "session-ended");
  await says(visitor.page, "The session was renewed.");
  await expectAlive(visitor);
  for (const context of [thief, visitor.context]) await context.close();
});

test("a copied profile is found out: the session ends for both browsers", async () => {
  const { account, context, page } = await visit();
  const thief = await site.openBrowser({ storageState: await context.storageState() });
  const stolen = await openPage(thief, site.url);
  for (const each of [stolen, page]) await says(each, "Your session has ended.");
  expect(site.output()).toContain('"event":"authn_token_reuse"');
  expect(await site.sessionsOf(account)).toEqual([]);
});
