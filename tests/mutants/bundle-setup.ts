import { mkdirSync } from "node:fs";
import { buildFunctions } from "../../build/bundle.ts";
import "../support/declared.ts";

/** What changed source needs of the global setup: its bundles. */
export default async function bundleSetup(): Promise<void> {
  mkdirSync(".local/test", { recursive: true, mode: 0o700 });
  await buildFunctions(".local/test/bundles");
}
