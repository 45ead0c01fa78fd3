import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { buildFunctions } from "../build/bundle.ts";
import { generateHashKey, generateKey } from "../build/keys/generate.ts";
import { systemClock } from "../lib/clock.ts";
import { toPublicJwk } from "../lib/tokens/keys.ts";
import { createTables } from "../local/tables.ts";
import { type Declared, declared, gatewayRoutes, tableSettings } from "../tests/support/declared.ts";
import { createEvent } from "../tests/support/event.ts";
import { peerBundleOf } from "./bundle-paths.ts";
import { loadHandler } from "./call.ts";
import { serveMails } from "./mail-server.ts";
import { type Meter, startMeter } from "./meter.ts";
import { buildPeers, peerEnvironment, peerTables, serveIssuer } from "./peers.ts";
import { postingProvider, serveProvider } from "./provider-server.ts";
import { serveSecrets } from "./secret-server.ts";

/** Everything around the functions, as near to a deployment as one machine gets. */
export interface Stage {
  /** What a function's process gets. */
  environment: Record<string, string>;
  /** Counts what this process sends to DynamoDB, and any other that is given its endpoint. */
  meter: Meter;
  /** Of each function, by its name. */
  memoryMb: Record<string, number>;
}

/**
 * Builds the functions and starts what they need: an embedded DynamoDB in a thread of its own, and the keys in a
 * Secrets Manager. This process gets their environment, too.
 */
export async function openStage(): Promise<Stage> {
  await buildFunctions(".local/bench");
  const endpoint = await startEngine();
  await createTables(new DynamoDBClient({ endpoint }), declared.resources.Resources);
  const meter = await startMeter(endpoint);
  const environment = await createEnvironment(endpoint);
  Object.assign(process.env, environment, { AWS_ENDPOINT_URL_DYNAMODB: meter.endpoint });
  return { environment, meter, memoryMb: memoryOf(declared) };
}

function memoryOf({ provider, functions }: Declared): Record<string, number> {
  return Object.fromEntries(
    Object.entries(functions).map(([name, { memorySize = provider.memorySize }]) => [name, memorySize]),
  );
}

async function startEngine(): Promise<string> {
  const engine = new Worker(new URL("../tests/support/engine-thread.ts", import.meta.url));
  const [endpoint] = (await once(engine, "message")) as [string];
  engine.unref();
  // The SDK wants some, and any will do
  Object.assign(process.env, credentials);
  return endpoint;
}

const credentials = {
  AWS_REGION: "eu-central-1",
  AWS_ACCESS_KEY_ID: "bench",
  AWS_SECRET_ACCESS_KEY: "bench",
};

async function createEnvironment(endpoint: string): Promise<Record<string, string>> {
  const key = { ...(await generateKey()), activeFrom: systemClock() };
  const hashKey = { ...(await generateHashKey()), activeFrom: systemClock() };
  const codeKey = { ...(await generateHashKey()), activeFrom: systemClock() };
  const factorKey = { ...(await generateHashKey()), activeFrom: systemClock() };
  return {
    ...credentials,
    STAGE: "test",
    ISSUER: "https://abcdefghij.execute-api.eu-central-1.amazonaws.com",
    AUDIENCE: "api",
    CLIENT_ID: "web",
    ...tableSettings,
    ROUTES: gatewayRoutes.join(","),
    JWT_PUBLIC_KEYS: JSON.stringify({ keys: [toPublicJwk(key)] }),
    JWT_SIGNING_KEYS_SECRET: "bench-signing-keys",
    HASH_KEYS_SECRET: "bench-hash-keys",
    AWS_ENDPOINT_URL_SECRETS_MANAGER: await serveSecrets({
      "bench-signing-keys": JSON.stringify({ keys: [key] }),
      "bench-hash-keys": JSON.stringify({ keys: [hashKey] }),
      "bench-code-keys": JSON.stringify({ keys: [codeKey] }),
      "bench-factor-keys": JSON.stringify({ keys: [factorKey] }),
      "bench-provider-keys": JSON.stringify({ bench: { clientSecret: "bench" } }),
    }),
    FACTOR_KEYS_SECRET: "bench-factor-keys",
    CODE_KEYS_SECRET: "bench-code-keys",
    MAIL_FROM: "auth@example.com",
    MAIL_LINK: "https://abcdefghij.execute-api.eu-central-1.amazonaws.com/",
    SES_CONFIGURATION_SET: "bench",
    PASSKEY_RP_ID: "abcdefghij.execute-api.eu-central-1.amazonaws.com",
    DEVICE_BOUND_SESSIONS: "on",
    IDENTITY_PROVIDERS: JSON.stringify([await serveProvider(), postingProvider]),
    PROVIDER_KEYS_SECRET: "bench-provider-keys",
    SES_ENDPOINT: await serveMails(),
    AWS_ENDPOINT_URL_DYNAMODB: endpoint,
    // Counted as deployed, and never reached, since all logins come from one address
    LOGIN_LIMIT_PER_SOURCE_PER_MINUTE: "100000",
    REGISTER_LIMIT_PER_SOURCE_PER_HOUR: "100000",
    MAIL_LIMIT_PER_SOURCE_PER_HOUR: "100000",
    // One session is refreshed again and again
    REFRESH_MIN_INTERVAL_SECONDS: "0",
    REFRESH_WINDOW_SECONDS: "0",
    ACCESS_TOKEN_TTL_SECONDS: "3600",
  };
}

/** Adds the peers to a stage: their bundles, their tables on the same engine, what they read of their environment. */
export async function openPeers({ environment }: Stage): Promise<void> {
  await buildPeers();
  await createTables(
    new DynamoDBClient({ endpoint: String(environment.AWS_ENDPOINT_URL_DYNAMODB) }),
    peerTables,
  );
  Object.assign(environment, peerEnvironment);
  Object.assign(process.env, peerEnvironment);
  const handle = await loadHandler(peerBundleOf("openauth"));
  const origin = await serveIssuer(async (path, headers) => {
    const answer = await handle(createEvent("movies", { path, headers }));
    return answer.body ?? "";
  });
  Object.assign(environment, { OPENAUTH_ISSUER: origin });
  Object.assign(process.env, { OPENAUTH_ISSUER: origin });
}
