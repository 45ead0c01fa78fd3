import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { buildFunctions } from "../../build/bundle.ts";
import { sls } from "../support/sls.ts";

const resources = ".local/test/resources.json";

/** What changed source needs of the global setup: its bundles, and once the tables, which no mutant changes. */
export default async function bundleSetup(): Promise<void> {
  mkdirSync(".local/test", { recursive: true, mode: 0o700 });
  await buildFunctions(".local/test/bundles");
  if (existsSync(resources)) return;
  const service = await sls(["print", "--stage", "test", "--format", "json"]);
  writeFileSync(resources, JSON.stringify(JSON.parse(service).resources.Resources));
}
