import { mkdirSync } from "node:fs";
import { expect } from "@jest/globals";
import axe, { type AxeResults } from "axe-core";
import type { Page } from "playwright-core";

/** Where pictures of every state are left. */
export const pictures = ".local/screenshots";
mkdirSync(pictures, { recursive: true });

/**
 * Asserts that axe-core finds no fault with a page as it is now, in the dark and in the light, and that it fits a small
 * telephone; leaves pictures of it.
 */
export async function expectAccessible(page: Page, name: string): Promise<void> {
  // All of the documentation is too long for a picture.
  const fullPage = name !== "docs";
  // Nothing but the colours differs in the light.
  const rules = { dark: "{}", light: '{ runOnly: ["color-contrast"] }' };
  for (const colorScheme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${pictures}/${name}-${colorScheme}.png`, fullPage });
    expect([colorScheme, await findViolations(page, rules[colorScheme])]).toEqual([colorScheme, []]);
  }
  await page.setViewportSize({ width: 320, height: 640 });
  await page.screenshot({ path: `${pictures}/${name}-small.png`, fullPage });
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(320);
}

/** Injected as a text: the page's policy lets no other script in. */
async function findViolations(page: Page, options: string): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = (await page.evaluate(`axe.run(${options})`)) as AxeResults;
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}
