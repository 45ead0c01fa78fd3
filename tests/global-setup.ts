import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { buildFunctions } from "../build/bundle.ts";
import { buildClient } from "../build/client.ts";
import "./support/declared.ts";

/**
 * Makes once what many tests use: the bundled handlers in `.local/test/bundles/functions/`, esbuild's
 * metafile of them in `.local/test/metafile.json`, what serverless.yml declares in `.local/test/service.json`, and the
 * client in `.local/test/client/`.
 */
export default async function globalSetup(run: Run, { testMatch }: { testMatch: string[] }) {
  mkdirSync(".local/test", { recursive: true, mode: 0o700 });
  if (isWholeSuite(run, testMatch)) {
    rmSync(permissionsFolder, { recursive: true, force: true });
    mkdirSync(permissionsFolder);
  }
  const [metafile] = await Promise.all([
    buildFunctions(".local/test/bundles"),
    buildClient(".local/test/client"),
  ]);
  writeFileSync(".local/test/metafile.json", JSON.stringify(metafile));
}

/** Where tests/support/permissions.ts notes what functions may do and did: it is complete if every test has run. */
const permissionsFolder = ".local/test/permissions";

/** What Jest was asked to run. */
interface Run {
  nonFlagArgs: string[];
  testNamePattern?: string;
}

/** All unit and integration tests, not one of the suites with a configuration of their own. */
function isWholeSuite({ nonFlagArgs, testNamePattern }: Run, testMatch: string[]): boolean {
  const isSuite = testMatch.some((pattern) => pattern.endsWith("/lib/**/*.test.ts"));
  return isSuite && nonFlagArgs.length === 0 && !testNamePattern;
}
