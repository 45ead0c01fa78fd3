import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import bundleSetup from "../mutants/bundle-setup.ts";

const folder = ".local/test/bundles/functions";

// What a bundle does while it is loaded is for every test, not for the one that happened to need it first.
const before =
  "{const s=globalThis.__stryker__;if(s){s.loadedFor=s.currentTestId;s.currentTestId=undefined}}\n";
const after = "\n{const s=globalThis.__stryker__;if(s)s.currentTestId=s.loadedFor}\n";

/** Makes, once in Stryker's copy of the project, the bundles: each holds every mutant, and a switch. */
export default async function setup(): Promise<void> {
  if (existsSync(folder)) return;
  await bundleSetup();
  for (const name of readdirSync(folder).filter((name) => name.endsWith(".mjs"))) {
    writeFileSync(`${folder}/${name}`, before + readFileSync(`${folder}/${name}`, "utf8") + after);
  }
}
