import { execFileSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer } from "node:https";
import { stripTypeScriptTypes } from "node:module";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, describe, expect, test } from "@jest/globals";
import { chromium, type Page } from "playwright-core";
import { answerCors } from "../../local/doors.ts";
import { createVerifier } from "../../verify/index.ts";
import { answerHttp } from "../support/gateway.ts";
import { createFolder, removeFolder } from "../support/project.ts";
import type { Sandbox } from "../support/sandbox.ts";
import { type Account, startService } from "../support/service.ts";
import { findChromium } from "./support/chromium.ts";

// The four topologies of docs/topologies.md, each with its settings: a real browser, TLS, real host names, and the functions of
// the service behind a gateway of this file's own. Names lead to this machine for this browser alone.

const service = await startService();
type Host = (request: IncomingMessage, response: ServerResponse) => Promise<unknown> | unknown;
const hosts: Record<string, Host> = {};

const folder = createFolder();
const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
const subject = ["-subj", "/CN=topologies", "-addext", "subjectAltName=DNS:*.example.com"];
execFileSync(
  "openssl",
  ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, ...subject],
  {
    stdio: "ignore",
  },
);
const server = createServer(
  { key: readFileSync(key), cert: readFileSync(cert) },
  async (request, response) => {
    const host = hosts[request.headers.host ?? ""];
    if (host) await host(request, response);
    else response.writeHead(421).end();
  },
);
await once(server.listen(0, "127.0.0.1"), "listening");
const servers: { closeAllConnections(): void; close(): unknown }[] = [server];
const { port } = server.address() as AddressInfo;
const { publicKey } = new X509Certificate(readFileSync(cert));
const pin = createHash("sha256")
  .update(publicKey.export({ type: "spki", format: "der" }))
  .digest("base64");
const browser = await chromium.launch({
  executablePath: findChromium(),
  args: [
    ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"],
    ...[`--host-resolver-rules=MAP *:443 127.0.0.1:${port}`, `--ignore-certificate-errors-spki-list=${pin}`],
  ],
});
afterAll(async () => {
  await browser.close();
  for (const each of servers) {
    each.closeAllConnections();
    each.close();
  }
  removeFolder(folder);
});

/** Answers as the gateway does: the bytes of the cookies as they came, both ways. */
async function forward(sandbox: Sandbox, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const { method = "", url = "", headers } = incoming;
  const { cookie, ...others } = headers as Record<string, string>;
  const body = (await buffer(incoming)).toString();
  const request = { method, url, headers: others, cookies: cookie?.split("; "), body };
  const answer = await answerHttp(sandbox, request);
  for (const [name, value] of Object.entries(answer.headers)) outgoing.setHeader(name, value);
  if (answer.cookies) outgoing.setHeader("set-cookie", answer.cookies);
  outgoing.writeHead(answer.statusCode).end(answer.body);
}

const page: Host = ({ url = "" }, response) => {
  const isScript = url === "/auth-client.js";
  response.writeHead(200, { "content-type": isScript ? "text/javascript" : "text/html" });
  response.end(
    isScript ? readFileSync(".local/test/client/auth-client.js") : "<!doctype html><title>App</title>",
  );
};

/** The API at a host, with CORS as the gateway has it for these origins. */
function api(sandbox: Sandbox, allowedOrigins: string[] = []): Host {
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

/** What a page's script does with the client: logs in, asks who it is, renews, logs out, asks again. */
async function visit(url: string, account: Account, options: object = {}): Promise<unknown[]> {
  const context = await browser.newContext();
  const tab: Page = await context.newPage();
  await tab.goto(url);
  const seen = await tab.evaluate(
    async ([{ email, password }, { isBearer, ...given }]) => {
      const { createAuthClient } = await import("/auth-client.js" as string);
      const kept: unknown[] = [];
      const tokens = { load: () => kept.at(-1), save: (pair: unknown) => void kept.push(pair) };
      const auth = createAuthClient({ ...given, ...(isBearer && { tokens }) });
      const ask = (name: "me" | "login" | "refresh" | "logout", body?: object) =>
        auth[name](body).then(
          (answer: { email?: string } | undefined) => answer?.email ?? name,
          (error: { code: string }) => error.code,
        );
      return [
        await ask("login", { email, password }),
        await ask("me"),
        await ask("refresh"),
        await ask("logout"),
        await ask("me"),
        Reflect.get(globalThis, "document").cookie,
      ];
    },
    [account, options as { isBearer?: boolean }] as const,
  );
  await context.close();
  return seen;
}

/** The route handler of docs/topologies.md, in front of an API that this process reaches by plain http. */
async function startBetween(sandbox: Sandbox): Promise<Host> {
  const server = createHttpServer((request, response) => forward(sandbox, request, response));
  await once(server.listen(0, "127.0.0.1"), "listening");
  servers.push(server);
  const api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const [, code = ""] =
    /```ts\n(\/\/ Next\.js[\s\S]+?)```/.exec(readFileSync("docs/topologies.md", "utf8")) ?? [];
  const module = stripTypeScriptTypes(code.replace("https://auth.example.com", api));
  const { GET: handle } = await import(`data:text/javascript,${encodeURIComponent(module)}`);
  return async (incoming, outgoing) => {
    const { method = "", url = "", headers } = incoming;
    const content = await buffer(incoming);
    const body = content.length > 0 ? content : null;
    const request = new Request(`https://www.example.com${url}`, {
      method,
      headers: headers as Record<string, string>,
      body,
    });
    const answer: Response = await handle(request);
    outgoing
      .setHeaders(answer.headers)
      .writeHead(answer.status)
      .end(await answer.text());
  };
}

const signedInAndOut = ({ email }: Account) => [
  "login",
  email,
  "refresh",
  "logout",
  "missing_credentials",
  "",
];

/** The settings of a topology as the document has them, and what follows from them in a deployment. */
function settingsOf(topology: string): Record<string, string> {
  const document = readFileSync("docs/topologies.md", "utf8");
  const [, block = ""] = new RegExp(`^# ${topology}\\n([^\\x60]+)`, "m").exec(document) ?? [];
  const lines = [...block.matchAll(/^export (\w+)=(\S+)/gm)].map(([, name = "", value = ""]) => [
    name,
    value,
  ]);
  const { DOMAIN_NAME, CERTIFICATE_ARN: _, TRUSTED_PROXY_SECRET, ...settings } = Object.fromEntries(lines);
  expect(DOMAIN_NAME).toMatch(/example\.com$/);
  return {
    ...{ COOKIE_NAME: "__Host-auth-cookie", ISSUER: `https://${DOMAIN_NAME}` },
    ...(TRUSTED_PROXY_SECRET && { TRUSTED_PROXY_SECRET: "a-secret-between-the-proxy-and-us" }),
    ...settings,
  };
}

test("same origin: page and API under one host", async () => {
  const sandbox = service.createSandbox(settingsOf("same origin"));
  hosts["example.com"] = (request, response) =>
    /^\/(auth|\.well-known)\//.test(request.url ?? "")
      ? api(sandbox)(request, response)
      : page(request, response);
  const account = await service.register();
  expect(await visit("https://example.com/", account)).toEqual(signedInAndOut(account));
});

describe("the API at auth.example.com", () => {
  const baseUrl = "https://auth.example.com";
  const origins = (settings: Record<string, string>) => settings.ALLOWED_ORIGINS?.split(",");
  /** Puts the API with these settings there. */
  function deploy(topology: string): Sandbox {
    const settings = settingsOf(topology);
    const sandbox = service.createSandbox(settings);
    hosts["auth.example.com"] = api(sandbox, origins(settings));
    return sandbox;
  }
  for (const host of ["app.example.com", "app.example.org", "evil.example.com"]) hosts[host] = page;

  test("a subdomain of one site: the cookie is kept and sent", async () => {
    deploy("subdomain");
    const account = await service.register();
    expect(await visit("https://app.example.com/", account, { baseUrl })).toEqual(signedInAndOut(account));
  });

  test("a subdomain that is not listed reads nothing and changes nothing", async () => {
    deploy("subdomain");
    const account = await service.register();
    const [login, me] = await visit("https://evil.example.com/", account, { baseUrl });
    expect([login, me]).not.toContain(account.email);
    expect(login).not.toBe("login");
  });

  test("another site: the cookie is not kept, and the client says so; as bearer it works", async () => {
    deploy("another site");
    const account = await service.register();
    const [login] = await visit("https://app.example.org/", account, { baseUrl });
    expect(login).toBe("cookie_not_kept");
    const isBearer = true;
    expect(await visit("https://app.example.org/", account, { baseUrl, isBearer })).toEqual(
      signedInAndOut(account),
    );
  });

  test("a server in between: it forwards the raw cookie, and renders with the session", async () => {
    const sandbox = deploy("server in between");
    const between = await startBetween(sandbox);
    const verifier = createVerifier({
      ...{ issuer: baseUrl, audience: "api", clientId: null },
      fetch: async () => new Response((await sandbox.jwks()).body ?? ""),
    });
    hosts["www.example.com"] = async (request, response) => {
      const { url = "", method = "GET", headers } = request;
      if (url === "/auth-client.js") return page(request, response);
      if (url.startsWith("/auth/")) return between(request, response);
      const { email = "nobody" } = await verifier
        .findCaller({ method, headers })
        .catch(() => ({ email: undefined }));
      response.writeHead(200, { "content-type": "text/html" }).end(`<title>${email}</title>`);
    };
    const account = await service.register();
    expect(await visit("https://www.example.com/", account)).toEqual(signedInAndOut(account));
    const context = await browser.newContext();
    const tab = await context.newPage();
    await tab.goto("https://www.example.com/");
    expect(await tab.title()).toBe("nobody");
    await tab.evaluate(async ({ email, password }) => {
      const { createAuthClient } = await import("/auth-client.js" as string);
      await createAuthClient().login({ email, password });
    }, account);
    await tab.goto("https://www.example.com/orders");
    expect(await tab.title()).toBe(account.email);
    // SameSite=Strict: a link from elsewhere, such as a mail, brings no cookie; the next click in the page does.
    await tab.goto("https://app.example.org/");
    await tab.setContent('<a href="https://www.example.com/orders">Orders</a>');
    await Promise.all([tab.waitForNavigation(), tab.click("a")]);
    expect(await tab.title()).toBe("nobody");
    await tab.reload();
    await tab.evaluate(() => Reflect.get(globalThis, "location").assign("/orders?again"));
    await tab.waitForURL("**/orders?again");
    expect(await tab.title()).toBe(account.email);
    await context.close();
  });
});
