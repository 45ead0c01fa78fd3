import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { openKeyFile } from "../build/keys/file.ts";
import { codeKeys, factorKeys, hashKeys, signingKeys } from "../build/keys/sets.ts";
import { findOrCreateKeySet, notePublished } from "../build/keys/store.ts";
import { findLocalProviderKeys } from "../build/providers/local-secrets.ts";
import { readSwitches } from "../build/switches.ts";
import { systemClock } from "../lib/clock.ts";
import { readConfig } from "../lib/config.ts";
import { isPlainHttp, refreshTokenTtlSeconds } from "../lib/settings.ts";
import { toPublicJwk } from "../lib/tokens/keys.ts";
import { parseEngineName, startEngine } from "./engine.ts";
import { startMailbox } from "./mailbox.ts";
import { findPortFault } from "./ports.ts";
import { startProvider } from "./provider.ts";
import { welcome } from "./welcome.ts";

/**
 * What `npm start` runs: an embedded DynamoDB, a mailbox and an OpenID provider in this process, and serverless-offline in a child.
 */
const { PORT = "3000", LAMBDA_PORT = "3002", PROVIDER_PORT = "3003", DYNAMODB_PORT = "8000" } = process.env;
const {
  LOCAL_DIR = ".local",
  DYNAMODB_ENDPOINT,
  LOCAL_ENGINE,
  SES_ENDPOINT,
  IDENTITY_PROVIDERS,
} = process.env;
const url = `http://localhost:${PORT}`;
const mailsFolder = `${LOCAL_DIR}/mails`;

let offline: ChildProcess | undefined;
let isStopping = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
// A signal sent to npm reaches the shell between, but not this process
const { ppid } = process;
setInterval(() => process.ppid !== ppid && stop(), 200).unref();

await assertPortsFree();
if (IDENTITY_PROVIDERS && !process.env.PROVIDER_KEYS && !findLocalProviderKeys(LOCAL_DIR))
  fail(
    "IDENTITY_PROVIDERS is set, and no client secret is stored here. Next: npm run providers -- secret <id> < file",
  );
console.log("All functions are built first. On a slow machine that takes half a minute.");
const keyFile = openKeyFile(LOCAL_DIR, signingKeys);
const { keys } = await findOrCreateKeySet(keyFile, systemClock()).catch(fail);
const [hashKeySet, codeKeySet, factorKeySet] = await Promise.all(
  [hashKeys, codeKeys, factorKeys].map((kind) =>
    findOrCreateKeySet(openKeyFile(LOCAL_DIR, kind), systemClock()),
  ),
).catch(fail);
const engine = DYNAMODB_ENDPOINT ? undefined : await startOwnEngine().catch(fail);
const [mailbox, provider] = await Promise.all([
  SES_ENDPOINT ? undefined : startMailbox(mailsFolder, console.log),
  IDENTITY_PROVIDERS === undefined ? startTestProvider().catch(fail) : undefined,
]);

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
  const { DEMO_PAGE, REGISTRATION } = readSwitches(environment(), { extras: "on" });
  console.log(
    welcome(url, resolve(LOCAL_DIR, "cookies.txt"), {
      hasPage: DEMO_PAGE === "on",
      registration: REGISTRATION,
      tables: engine
        ? `in ${engine.name}, kept in ${engine.path}`
        : `at DYNAMODB_ENDPOINT ${DYNAMODB_ENDPOINT}`,
      mails: sayWhereMailsGo(),
      provider: provider && `${provider.entry.name} at ${provider.issuer}`,
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

function sayWhereMailsGo(): string {
  if (process.env.MAIL_FROM === "") return "nowhere, since MAIL_FROM is empty";
  return SES_ENDPOINT ? `to SES_ENDPOINT ${SES_ENDPOINT}` : `here, and into ${mailsFolder}`;
}

/** Each engine has a folder of its own: neither reads what the other keeps. */
async function startOwnEngine() {
  const name = parseEngineName(LOCAL_ENGINE);
  const path = `${LOCAL_DIR}/${name === "dynalite" ? "dynamodb" : name}`;
  return { name, path, ...(await startEngine({ name, port: Number(DYNAMODB_PORT), path })) };
}

/** It returns to the page here and to the example that runs beside it, each by either name of this machine. */
function startTestProvider() {
  const here = [process.env.ISSUER || url, `http://127.0.0.1:${PORT}`];
  const origins = [...here, "http://localhost:4000", "http://127.0.0.1:4000"];
  return startProvider({
    port: Number(PROVIDER_PORT),
    redirectUris: [...new Set(origins)].map((origin) => `${origin.replace(/\/$/, "")}/signed-in/test`),
  });
}

/** The domain that passkeys belong to here: none belongs to an address. */
function findPasskeyRpId(issuer: string): string {
  const { hostname } = new URL(issuer);
  return /^\[|^[\d.]+$/.test(hostname) ? "" : hostname;
}

/** The settings of this shell, completed with what a local run can choose by itself. */
function environment(): NodeJS.ProcessEnv {
  const shell = Object.entries(process.env).filter(([name]) => !engine || !name.startsWith("AWS_"));
  return {
    ISSUER: url,
    // Everything here comes from one address
    LOGIN_LIMIT_PER_SOURCE_PER_MINUTE: "0",
    REGISTER_LIMIT_PER_SOURCE_PER_HOUR: "0",
    MAIL_LIMIT_PER_SOURCE_PER_HOUR: "0",
    JWT_SIGNING_KEYS: JSON.stringify({ keys }),
    HASH_KEYS: JSON.stringify(hashKeySet),
    CODE_KEYS: JSON.stringify(codeKeySet),
    FACTOR_KEYS: JSON.stringify(factorKeySet),
    // Mails go to the mailbox here, and whoever wants to may register
    MAIL_FROM: "auth@example.com",
    MAIL_LINK: `${process.env.ISSUER || url}/`,
    REGISTRATION: "open",
    PASSKEY_RP_ID: findPasskeyRpId(process.env.ISSUER || url),
    ...(provider
      ? {
          IDENTITY_PROVIDERS: JSON.stringify([provider.entry]),
          PROVIDER_KEYS: JSON.stringify(provider.keys),
        }
      : { PROVIDER_KEYS: findLocalProviderKeys(LOCAL_DIR) }),
    JWT_PUBLIC_KEYS: JSON.stringify({ keys: keys.map(toPublicJwk) }),
    // An engine that is not AWS takes any credentials, but the SDK wants some
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
    ...Object.fromEntries(shell),
    ...(engine && { DYNAMODB_ENDPOINT: engine.endpoint }),
    // There is no bus here.
    EVENT_BUS_NAME: "",
    ...(mailbox && { SES_ENDPOINT: mailbox.endpoint }),
    SLS_LOG_LEVEL: "warning",
  };
}

async function assertPortsFree(): Promise<void> {
  const faults = await Promise.all([
    findPortFault({ port: PORT, variable: "PORT", purpose: "the API" }),
    findPortFault({ port: LAMBDA_PORT, variable: "LAMBDA_PORT", purpose: "serverless-offline's own" }),
    IDENTITY_PROVIDERS === undefined
      ? findPortFault({ port: PROVIDER_PORT, variable: "PROVIDER_PORT", purpose: "the test provider" })
      : undefined,
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
