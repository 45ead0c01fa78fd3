import { expect, test } from "@jest/globals";
import type { AuthError } from "../../client/auth-client.ts";
import { clock } from "../support/clock.ts";
import { createRandom } from "../support/random.ts";
import { startService } from "../support/service.ts";
import { createBrowser, loseAnswer, loseRequest, refuse, type Tab } from "./browser.ts";
import { expectSignedIn, openSession } from "./session.ts";

const service = await startService();
const account = await service.register();
const seeds = process.env.SEED ? [Number(process.env.SEED)] : [1, Math.floor(Math.random() * 2 ** 31)];
const steps = 400;

test.each(seeds)("SEED=%i: whatever happens to three tabs for days, their session lives", async (seed) => {
  const random = createRandom(seed);
  const upTo = (max: number) => Math.floor(random() * max);
  const browser = createBrowser(service.sandbox);
  const tabs: Tab[] = await openSession(browser, account, { tabs: 3, asks: random() < 0.5 });
  const some = () => tabs[upTo(tabs.length)] as Tab;

  /** Uses the session; what fails must be trouble, and never a refusal. */
  async function use(tab: Tab): Promise<void> {
    const answer = await browser
      .patiently(tab.auth.fetch("/movies"))
      .catch(({ status, code }: AuthError) => ({ status, code }));
    expect([answer, answer.status === 200 || answer.status === 0 || answer.status >= 429]).toEqual([
      answer,
      true,
    ]);
  }

  const mishaps: (() => Promise<void> | void)[] = [
    () => use(some()),
    async () => void (await Promise.all(tabs.map(use))),
    () => browser.wait(upTo(1800)),
    () => clock.advance(upTo(7200)), // the device sleeps
    () => browser.break("POST /auth/refresh", loseAnswer, { times: 1 + upTo(4) }),
    () => browser.break("POST /auth/refresh", loseRequest, { times: 1 + upTo(4) }),
    () => browser.break("POST /auth/refresh", refuse(503, { "retry-after": String(1 + upTo(20)) })),
    () => browser.setClock(upTo(20_000) - 10_000),
    async () => {
      const tab = some();
      void tab.auth.fetch("/movies").catch(() => {});
      for (let ticks = upTo(40); ticks > 0; ticks--) await new Promise((resolve) => setImmediate(resolve));
      tab.close();
      expect(tab.ends).toEqual([]);
      tabs[tabs.indexOf(tab)] = await browser.openTab();
    },
  ];
  for (let step = 1; step <= steps; step++) await mishaps[upTo(mishaps.length)]?.();

  browser.mend();
  await browser.wait(60);
  await expectSignedIn(...tabs);
});
