import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { buffer } from "node:stream/consumers";
import { describe, expect, test } from "@jest/globals";
import { createVerifier } from "../../verify/index.ts";
import { clock } from "../support/clock.ts";
import type { Sandbox } from "../support/sandbox.ts";
import { type Account, startService } from "../support/service.ts";
import { forward, type Host, serveApi, startNames, startPlain } from "./support/names.ts";

// The four topologies of docs/topologies.md, each with its settings: a real browser, TLS, real host names, and the functions of
// the service behind a gateway of this file's own. Names lead to this machine for this browser alone.

const service = await startService();
const { browser, hosts } = await startNames();

const page: Host = ({ url = "" }, response) => {
  const isScript = url === "/auth-client.js";
  response.writeHead(200, { "content-type": isScript ? "text/javascript" : "text/html" });
  response.end(
    isScript ? readFileSync(".local/test/client/auth-client.js") : "<!doctype html><title>App</title>",
  );
};

/** What a page's script sees of the client: it logs in, asks who it is, renews when the token is over, and logs out. */
async function visit(url: string, account: Account, options: object = {}): Promise<unknown[]> {
  const context = await browser.newContext();
  await context.clock.install();
  const tab = await context.newPage();
  const renewals: number[] = [];
  tab.on("response", (response) => {
    if (response.url().endsWith("/auth/refresh")) renewals.push(response.status());
  });
  await tab.goto(url);
  await tab.evaluate(
    async ([{ email, password }, { isBearer, ...given }]) => {
      const { createAuthClient } = await import("/auth-client.js" as string);
      const kept: unknown[] = [];
      const tokens = { load: () => kept.at(-1), save: (pair: unknown) => void kept.push(pair) };
      const auth = createAuthClient({ ...given, ...(isBearer && { tokens }) });
      const ask = (name: string) =>
        auth[name]({ email, password }).then(
          (answer: { email?: string } | undefined) => answer?.email ?? name,
          (error: { code: string }) => error.code,
        );
      Object.assign(globalThis, { ask });
    },
    [account, options as { isBearer?: boolean }] as const,
  );
  const ask = (name: string) => tab.evaluate((each) => Reflect.get(globalThis, "ask")(each), name);
  const seen = [await ask("login"), await ask("me")];
  clock.advance(1_000); // the token is over, for the functions and for the browser
  await tab.clock.fastForward(1_000_000);
  seen.push(await ask("me"), renewals.includes(200), await ask("logout"), await ask("me"));
  seen.push(await tab.evaluate(() => Reflect.get(globalThis, "document").cookie));
  await context.close();
  return seen;
}

/** The route handler of docs/topologies.md, in front of an API that this process reaches by plain http. */
async function startBetween(sandbox: Sandbox): Promise<Host> {
  const api = await startPlain((request, response) => forward(sandbox, request, response));
  const code = readFileSync("examples/nextjs/app/auth/[...path]/route.ts", "utf8");
  expect(readFileSync("docs/topologies.md", "utf8")).toContain(code);
  const module = stripTypeScriptTypes(code.replace("http://localhost:3000", api));
  const { GET: handle } = await import(`data:text/javascript,${encodeURIComponent(module)}`);
  return async (incoming, outgoing) => {
    const { method = "", url = "" } = incoming;
    const content = await buffer(incoming);
    const headers = incoming.headers as Record<string, string>;
    const body = content.length > 0 ? content : null;
    const answer: Response = await handle(
      new Request(`https://www.example.com${url}`, { method, headers, body }),
    );
    outgoing
      .setHeaders(answer.headers)
      .writeHead(answer.status)
      .end(await answer.text());
  };
}

const signedInAndOut = ({ email }: Account) => [
  ...["login", email, email, true],
  ...["logout", "missing_credentials", ""],
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
      ? serveApi(sandbox)(request, response)
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
    hosts["auth.example.com"] = serveApi(sandbox, origins(settings));
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
