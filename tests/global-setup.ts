import { mkdirSync, writeFileSync } from "node:fs";
import { buildFunctions } from "../build/bundle.ts";
import { buildClient } from "../build/client.ts";
import { sls } from "./support/sls.ts";

/**
 * Makes once what many tests use: the bundled handlers in `.local/test/bundles/functions/<name>.mjs`, esbuild's
 * metafiles in `.local/test/metafiles.json`, the tables of serverless.yml in `.local/test/resources.json`, and the
 * client in `.local/test/client/`.
 */
export default async function globalSetup(): Promise<void> {
  mkdirSync(".local/test", { recursive: true, mode: 0o700 });
  const [metafiles, service] = await Promise.all([
    buildFunctions(".local/test/bundles"),
    sls(["print", "--stage", "test", "--format", "json"]),
    buildClient(".local/test/client"),
  ]);
  writeFileSync(".local/test/metafiles.json", JSON.stringify(metafiles));
  writeFileSync(".local/test/resources.json", JSON.stringify(JSON.parse(service).resources.Resources));
}
