import { existsSync, mkdirSync } from "node:fs";
import { buildFunctions } from "../../build/bundle.ts";
import { resourcesFile, writeResources } from "../support/resources.ts";

/** What changed source needs of the global setup: its bundles, and once the tables, which no mutant changes. */
export default async function bundleSetup(): Promise<void> {
  mkdirSync(".local/test", { recursive: true, mode: 0o700 });
  await buildFunctions(".local/test/bundles");
  if (!existsSync(resourcesFile)) await writeResources();
}
