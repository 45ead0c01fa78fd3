import { buildFunctions } from "../../build/bundle.ts";

/** What a mutant needs of the global setup: its bundles. The tables are those of the first run. */
export default async function bundleSetup(): Promise<void> {
  await buildFunctions(".local/test/bundles");
}
