import { expect, test } from "@jest/globals";
import type { AuthError } from "../../client/auth-client.ts";
import { clock } from "../support/clock.ts";
import { createRandom } from "../support/random.ts";
import { loseAnswer, loseRequest, refuse, type Tab } from "./browser.ts";
import { browser, expectSignedIn, openSession } from "./setup.ts";

const seeds = process.env.SEED ? [Number(process.env.SEED)] : [1, Math.floor(Math.random() * 2 ** 31)];
const steps = 400;

test.each(seeds)("SEED=%i: whatever happens to three tabs for days, their session lives", async (seed) => {
  const random = createRandom(seed);
  const upTo = (max: number) => Math.floor(random() * max);
  const tabs: Tab[] = await openSession({ tabs: 3, learns: random() < 0.5 });
  const some = () => tabs[upTo(tabs.length)] as Tab;

  /** A clock that was set back makes an old pair look new: it is left alone for a minute (client/README.md). */
  function looksNew(): boolean {
    const [{ decidedAtMs, endStatus }] = browser.stored;
    const ageMs = browser.timeMs() - decidedAtMs;
    return !endStatus && ageMs >= 0 && ageMs < 60_000;
  }

  /** Uses the session; what fails must be trouble, and never a refusal. */
  async function use(tab: Tab): Promise<void> {
    const lookedNew = looksNew();
    const { status } = await browser
      .patiently(tab.auth.fetch("/movies"))
      .catch(({ status }: AuthError) => ({ status }));
    const isTrouble = status === 0 || status >= 429;
    const isLeftAlone = status === 401 && (lookedNew || looksNew());
    if (!isTrouble && !isLeftAlone) expect(status).toBe(200);
  }

  const mishaps: (() => Promise<void> | void)[] = [
    () => use(some()),
    async () => void (await Promise.all(tabs.map(use))),
    () => browser.wait(upTo(1800)),
    async () => {
      // The device sleeps; its requests are under way for seconds, not for hours (docs/rotation.md).
      await browser.idle();
      clock.advance(upTo(7200));
    },
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
