import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { build } from "esbuild";
import type { Resources } from "../local/tables.ts";

const folder = "bench/peers";

const table = (TableName: string, ...names: string[]) => ({
  Type: "AWS::DynamoDB::Table",
  Properties: {
    TableName,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: names.map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
    KeySchema: names.map((AttributeName, index) => ({
      AttributeName,
      KeyType: index === 0 ? "HASH" : "RANGE",
    })),
  },
});

/** The tables that the peers use, on the same engine. */
export const peerTables: Resources = {
  Express: table("bench-express", "id"),
  OpenAuth: table("bench-openauth", "pk", "sk"),
};

/** What the peers read of their environment. */
export const peerEnvironment = {
  EXPRESS_TABLE: "bench-express",
  EXPRESS_SECRET: randomUUID(),
  OPENAUTH_TABLE: "bench-openauth",
};

/** Installs the peers, if they are not there yet, and bundles them as their users would: express as CommonJS. */
export async function buildPeers(): Promise<void> {
  if (!existsSync(`${folder}/node_modules`)) {
    const { status } = spawnSync("npm", ["ci", "--ignore-scripts"], { cwd: folder, stdio: "inherit" });
    if (status !== 0) throw new Error(`npm ci in ${folder} failed.`);
  }
  const options = {
    bundle: true,
    platform: "node",
    target: "node24",
    minify: true,
    logLevel: "error",
  } as const;
  const bundle = (format: "cjs" | "esm", ...names: string[]) =>
    build({
      ...options,
      format,
      entryPoints: names.map((name) => `${folder}/${name}.mjs`),
      outdir: ".local/bench/peers",
      outExtension: { ".js": format === "cjs" ? ".cjs" : ".mjs" },
      mainFields: ["module", "main"],
    });
  await bundle("cjs", "express", "express-protected");
  await bundle("esm", "openauth", "openauth-protected");
}

/** The origin that OpenAuth's tokens name as their issuer. */
export const issuerHeaders = (origin: string) => {
  const { host, port } = new URL(origin);
  return { "x-forwarded-host": host, "x-forwarded-proto": "http", "x-forwarded-port": port };
};

/**
 * Serves the two documents of OpenAuth's issuer that its clients fetch, so that none of them waits for a cold issuer.
 * `readDocument` is told a path and the headers to ask with.
 */
export async function serveIssuer(
  readDocument: (path: string, headers: Record<string, string>) => Promise<string>,
): Promise<string> {
  const documents: Record<string, string> = {};
  const server = createServer((incoming, outgoing) => {
    outgoing.setHeader("content-type", "application/json");
    outgoing.end(documents[incoming.url ?? ""]);
  });
  server.unref().listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (const path of ["/.well-known/oauth-authorization-server", "/.well-known/jwks.json"]) {
    documents[path] = await readDocument(path, issuerHeaders(origin));
  }
  return origin;
}

/** The versions of what is measured. */
export function peerVersions(): string {
  const { dependencies } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  return ["express", "jsonwebtoken", "@openauthjs/openauth"]
    .map((name) => `${name} ${dependencies[name]}`)
    .join(", ");
}
