import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { everySwitch, registrations } from "../tests/support/declared.ts";
import { invokeFresh } from "../tests/support/fresh-process.ts";
import { sls } from "../tests/support/sls.ts";
import { bundleOf } from "./bundle-paths.ts";
import { assertDone } from "./call.ts";
import type { Usage } from "./meter.ts";
import { createRequests, type FunctionName, functionNames } from "./requests.ts";
import type { Stage } from "./stage.ts";

/** What is the same in every run: sizes, what a usual call asks of DynamoDB, what of Node it loads. */
export interface Facts extends Usage {
  bundleBytes: number;
  zipBytes: number;
  /** How many of Node's builtin modules are loaded at the first answer. */
  modules: number;
  /** Those among them that cost most. */
  heavyModules: string[];
  /** As serverless.yml has it. */
  memoryMb: number;
  logBytes: number;
}

const heavy = /undici|webstreams|http2/;

/** Finds the facts of every function: each is packaged, and called once in a fresh process. */
export async function findFacts({
  environment,
  meter,
  memoryMb,
}: Stage): Promise<Record<FunctionName, Facts>> {
  const zips = await measureZips();
  const requests = await createRequests();
  const facts: Partial<Record<FunctionName, Facts>> = {};
  for (const name of functionNames) {
    const event = await requests[name]();
    meter.take();
    const metered = { ...environment, AWS_ENDPOINT_URL_DYNAMODB: meter.endpoint };
    const { modules, response, logBytes } = await invokeFresh(bundleOf(name), metered, event);
    assertDone(name, response);
    facts[name] = {
      ...meter.take(),
      bundleBytes: statSync(bundleOf(name)).size,
      zipBytes: zips[name] ?? 0,
      modules: modules.length,
      heavyModules: modules.filter((module) => heavy.test(module)),
      memoryMb: memoryMb[name] ?? 0,
      logBytes,
    };
  }
  return facts as Record<FunctionName, Facts>;
}

/** With every function there is. */
const withMail = {
  ...{ ...everySwitch, ISSUER: "https://auth.example.com", MAIL_LINK: "https://auth.example.com/" },
  PASSKEY_RP_ID: "example.com",
  ...{ SES_CONFIGURATION_SET: "bench", CODE_KEYS_SECRET: "bench-code-keys" },
  PROVIDER_KEYS_SECRET: "bench-provider-keys",
};

/** Packages the service as deployments would; gives the size of each function's zip by its name. */
async function measureZips(): Promise<Record<string, number>> {
  const sizes: Record<string, number> = {};
  for (const REGISTRATION of registrations) {
    const folder = mkdtempSync(join(tmpdir(), "serverless-auth-api-"));
    const env = { ...withMail, REGISTRATION };
    await sls(["package", "--stage", "test", "--package", folder], { env });
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".zip")))
      sizes[file.replace(".zip", "")] = statSync(join(folder, file)).size;
    rmSync(folder, { recursive: true });
  }
  return sizes;
}
