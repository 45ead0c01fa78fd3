import { execFileSync, spawn } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll } from "@jest/globals";
import { type Browser, chromium } from "playwright-core";
import { answerCors } from "../../../local/doors.ts";
import { answerHttp } from "../../support/gateway.ts";
import { createFolder, removeFolder } from "../../support/project.ts";
import type { Sandbox } from "../../support/sandbox.ts";
import { findChromium } from "./chromium.ts";

/** What answers at a host name. */
export type Host = (request: IncomingMessage, response: ServerResponse) => Promise<unknown> | unknown;

/** What ends with the test file. */
const servers: { closeAllConnections(): void; close(): unknown }[] = [];

/**
 * Starts a browser for which every name leads to this machine, with TLS; `hosts` says what answers there. With `features` of
 * Chromium that are off by default it is started without Playwright, whose own list of features counts else.
 */
export async function startNames({ features }: { features?: string[] } = {}) {
  const hosts: Record<string, Host> = {};
  const folder = createFolder();
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=tests", "-addext", "subjectAltName=DNS:*.example.com"];
  const files = ["-nodes", "-keyout", key, "-out", cert];
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", ...files, ...subject], { stdio: "ignore" });
  const credentials = { key: readFileSync(key), cert: readFileSync(cert) };
  const server = createServer(credentials, async (request, response) => {
    const host = hosts[request.headers.host ?? ""];
    if (host) await host(request, response);
    else response.writeHead(421).end();
  });
  servers.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const { publicKey } = new X509Certificate(credentials.cert);
  const pin = createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("base64");
  const args = [
    ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"],
    ...[`--host-resolver-rules=MAP *:443 127.0.0.1:${port}`, `--ignore-certificate-errors-spki-list=${pin}`],
  ];
  const browser = await (features
    ? launchWith([...args, `--enable-features=${features}`, `--user-data-dir=${folder}`])
    : chromium.launch({ executablePath: findChromium(), args }));
  afterAll(async () => {
    await browser.close();
    for (const each of servers) {
      each.closeAllConnections();
      each.close();
    }
    removeFolder(folder);
  });
  return { browser, hosts };
}

/** Starts Chromium itself, and connects Playwright to it: its own list of features would count in place of ours. */
async function launchWith(args: string[]): Promise<Browser> {
  const child = spawn(findChromium(), [...args, "--remote-debugging-port=0", "about:blank"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  afterAll(() => void child.kill("SIGKILL"));
  let said = "";
  for await (const chunk of child.stderr) {
    said += chunk;
    const [, url] = /listening on (ws:\S+)/.exec(said) ?? [];
    if (url) return chromium.connectOverCDP(url);
  }
  throw new Error(`Chromium did not start: ${said}`);
}

/** Starts what answers at a host on a port of this machine, by plain http; it ends with the test file. */
export async function startPlain(host: Host): Promise<string> {
  const server = createHttpServer(host);
  servers.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return `http://localhost:${(server.address() as AddressInfo).port}`;
}

/** Answers as the gateway does: the bytes of the cookies as they came, both ways. */
export async function forward(
  sandbox: Sandbox,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const { method = "", url = "", headers } = incoming;
  const { cookie, ...others } = headers as Record<string, string>;
  const body = (await buffer(incoming)).toString();
  const request = { method, url, headers: others, cookies: cookie?.split("; "), body };
  const answer = await answerHttp(sandbox, request);
  for (const [name, value] of Object.entries(answer.headers)) outgoing.setHeader(name, value);
  if (answer.cookies) outgoing.setHeader("set-cookie", answer.cookies);
  outgoing.writeHead(answer.statusCode).end(answer.body);
}

/** The API at a host, with CORS as the gateway has it for these origins. */
export function serveApi(sandbox: Sandbox, allowedOrigins: string[] = []): Host {
  const methods = { allowedMethods: ["GET", "POST", "DELETE"], exposedResponseHeaders: ["retry-after"] };
  const allowedHeaders = ["content-type", "authorization", "auth-mode", "idempotency-key", "session-key"];
  allowedHeaders.push("idempotency-key-previous");
  return (request, response) => {
    const { origin } = request.headers;
    const goesOn = answerCors({ allowedOrigins, allowedHeaders, ...methods })(request, response);
    if (origin) request.headers.origin = origin;
    return goesOn && forward(sandbox, request, response);
  };
}
