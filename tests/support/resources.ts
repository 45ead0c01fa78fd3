import { writeFileSync } from "node:fs";
import { sls } from "./sls.ts";

/** Where the resources of serverless.yml are for tests, as `sls print` resolves them. */
export const resourcesFile = ".local/test/resources.json";

/** Writes them there. */
export async function writeResources(): Promise<void> {
  const service = JSON.parse(await sls(["print", "--stage", "test", "--format", "json"]));
  writeFileSync(resourcesFile, JSON.stringify(service.resources.Resources));
}
