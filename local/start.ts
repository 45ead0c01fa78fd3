import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import * as esbuild from "esbuild";
import { buildFunctions } from "../build/bundle.ts";
import { openKeyFile } from "../build/keys/file.ts";
import { hashKeys, signingKeys } from "../build/keys/sets.ts";
import { findOrCreateKeySet, notePublished } from "../build/keys/store.ts";
import { systemClock } from "../lib/clock.ts";
import { readConfig } from "../lib/config.ts";
import { isPlainHttp, refreshTokenTtlSeconds } from "../lib/settings.ts";
import { toPublicJwk } from "../lib/tokens/keys.ts";
import { startEngine } from "./engine.ts";
import { findPortFault } from "./ports.ts";
import { welcome } from "./welcome.ts";

/** What `npm start` runs: an embedded DynamoDB in this process, and serverless-offline in a child. */
const { PORT = "3000", LAMBDA_PORT = "3002", DYNAMODB_PORT = "8000", LOCAL_DIR = ".local" } = process.env;
const { DYNAMODB_ENDPOINT } = process.env;
const url = `http://localhost:${PORT}`;

let offline: ChildProcess | undefined;
let isStopping = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
// A signal sent to npm reaches the shell between, but not this process
const { ppid } = process;
setInterval(() => process.ppid !== ppid && stop(), 200).unref();

await assertPortsFree();
const keyFile = openKeyFile(LOCAL_DIR, signingKeys);
const { keys } = await findOrCreateKeySet(keyFile, systemClock()).catch(fail);
const hashKeySet = await findOrCreateKeySet(openKeyFile(LOCAL_DIR, hashKeys), systemClock()).catch(fail);
const engine = DYNAMODB_ENDPOINT
  ? undefined
  : await startEngine({ port: Number(DYNAMODB_PORT), path: `${LOCAL_DIR}/dynamodb` }).catch(fail);
// serverless-offline would hang at a build error, and not say so
await buildFunctions(`${LOCAL_DIR}/build-check`).catch(() => fail("The functions do not build: see above."));
await esbuild.stop();

offline = spawn(
  process.execPath,
  ["--enable-source-maps", "node_modules/serverless/bin/serverless.js", "offline", "start", "--stage", "dev"],
  { env: environment(), stdio: ["ignore", "inherit", "inherit", "ipc"] },
);
offline.once("message", async () => {
  const config = readConfig({ refreshTokenTtlSeconds }, { ...process.env, STAGE: "dev" });
  const kids = process.env.JWT_PUBLIC_KEYS ? [] : keys.map(({ kid }) => kid);
  await notePublished(keyFile, {
    kids,
    refreshTokenTtlSeconds: config.refreshTokenTtlSeconds,
    now: systemClock(),
  });
  console.log(
    welcome(url, resolve(LOCAL_DIR, "cookies.txt"), {
      hasPage: process.env.DEMO_PAGE !== "off",
      isPlainHttp: isPlainHttp({ stage: "dev", issuer: environment().ISSUER ?? "" }),
    }),
  );
});
const [code] = await once(offline, "exit");
await engine?.stop();
process.exit(isStopping ? 0 : (code ?? 1));

function stop(): void {
  isStopping = true;
  if (!offline) process.exit(0);
  if (offline.connected) offline.disconnect(); // local/offline-plugin.ts ends with the channel
}

/** The settings of this shell, completed with what a local run can choose by itself. */
function environment(): NodeJS.ProcessEnv {
  const shell = Object.entries(process.env).filter(([name]) => !engine || !name.startsWith("AWS_"));
  return {
    ISSUER: url,
    // Everything here comes from one address
    LOGIN_LIMIT_PER_SOURCE_PER_MINUTE: "0",
    REGISTER_LIMIT_PER_SOURCE_PER_HOUR: "0",
    JWT_SIGNING_KEYS: JSON.stringify({ keys }),
    HASH_KEYS: JSON.stringify(hashKeySet),
    JWT_PUBLIC_KEYS: JSON.stringify({ keys: keys.map(toPublicJwk) }),
    // An engine that is not AWS takes any credentials, but the SDK wants some
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
    ...Object.fromEntries(shell),
    ...(engine && { DYNAMODB_ENDPOINT: engine.endpoint }),
    SLS_LOG_LEVEL: "warning",
  };
}

async function assertPortsFree(): Promise<void> {
  const faults = await Promise.all([
    findPortFault({ port: PORT, variable: "PORT", purpose: "the API" }),
    findPortFault({ port: LAMBDA_PORT, variable: "LAMBDA_PORT", purpose: "serverless-offline's own" }),
    DYNAMODB_ENDPOINT
      ? undefined
      : findPortFault({ port: DYNAMODB_PORT, variable: "DYNAMODB_PORT", purpose: "the embedded DynamoDB" }),
  ]);
  const found = faults.filter((fault) => fault !== undefined);
  if (found.length > 0) fail(found.join("\n"));
}

/** Ends with a message and no stack: what went wrong here is for the person at the terminal to mend. */
function fail(problem: unknown): never {
  console.error(problem instanceof Error ? problem.message : problem);
  process.exit(1);
}
