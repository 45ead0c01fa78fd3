import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { request as send } from "node:http";
import { extname, join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import type { Page } from "playwright-core";
import { clock } from "../support/clock.ts";
import { log } from "../support/log.ts";
import { createFolder, removeFolder } from "../support/project.ts";
import { startService } from "../support/service.ts";
import { forward, serveApi, startNames, startPlain } from "./support/names.ts";
import { createAccount } from "./support/site.ts";

// The applications of examples/ as somebody starts them, with the functions of the service behind them. First, once:
// npm ci --prefix examples/<each>

const service = await startService();
let sandbox = service.sandbox;
const api = await startPlain((request, response) => forward(sandbox, request, response));
const { browser, hosts } = await startNames();
const { PATH = "", HOME = "" } = process.env;
const cookie = { COOKIE_NAME: "__Host-auth-cookie" };
sandbox = service.createSandbox({ ISSUER: api, ...cookie });

/** Runs a file of an example with the time of the tests. */
function run(example: string, args: string[], env: Record<string, string>) {
  const cwd = resolve("examples", example);
  if (!existsSync(join(cwd, "node_modules"))) throw new Error(`npm ci --prefix examples/${example}`);
  const held = ["--import", resolve("tests/support/held-clock.mjs")];
  return spawn(process.execPath, [...held, ...args], {
    cwd,
    env: { PATH, HOME, NODE_ENV: "production", HELD_TIME: `${clock.now}`, AUTH_URL: api, ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
}

/** Runs a command of an example to its end. */
async function build(example: string, args: string[], env: Record<string, string> = {}): Promise<void> {
  const child = run(example, args, env);
  child.stdout.resume();
  expect([args, ...(await once(child, "exit"))]).toEqual([args, 0, null]);
}

/** Starts the server of an example, with www.example.com in front of it. */
async function serve(example: string, args: string[], env: Record<string, string>) {
  const server = run(example, args, { PORT: "0", ...cookie, ...env });
  let said = "";
  while (!/http:\S+\n[\s\S]*Ready|^http:\S+\n$/.test(said)) said += await once(server.stdout, "data");
  const { port } = new URL(/http:\S+/.exec(said)?.[0] ?? "");
  hosts["www.example.com"] = (incoming, outgoing) => {
    const { method, url: path } = incoming;
    const headers = { ...incoming.headers, "x-forwarded-for": "198.51.100.1, 203.0.113.7" };
    const onward = send({ host: "127.0.0.1", port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy()); // what the page asks for while the server stops
    incoming.pipe(onward);
  };
  return async () => {
    server.kill();
    await once(server, "exit");
  };
}

/** Fills in the form of an example, which registers and logs in. */
async function register(page: Page): Promise<string> {
  const { email, password } = createAccount();
  await page.getByText("Log in, or register.").waitFor();
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Register" }).click();
  await page.getByText(`Hello ${email}`).waitFor();
  return email;
}

/** What recognises a browser stays; a bearer client has no cookie. */
const device = expect.objectContaining({ name: expect.stringMatching(/-device$/) });

async function logOut(page: Page, cookies: unknown[] = [device]): Promise<void> {
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByText("Log in, or register.").waitFor();
  expect(await page.context().cookies()).toEqual(cookies);
}

test("a single-page application on Express: registers, orders, comes back and logs out", async () => {
  const stop = await serve("express-spa", ["server.js"], {});
  const page = await (await browser.newContext()).newPage();
  await page.goto("https://www.example.com/");
  await register(page);
  await page.getByLabel("Item").fill("Milk");
  await page.getByRole("button", { name: "Order" }).click();
  await page.getByText("Milk").waitFor();
  await page.reload();
  await page.getByText("Milk").waitFor();
  await logOut(page);
  expect(await page.getByText("Milk").count()).toBe(0);
  await stop();
});

describe("a single-page application of static files", () => {
  const folder = createFolder();
  afterAll(() => removeFolder(folder));
  const types: Record<string, string> = { ".html": "text/html", ".js": "text/javascript" };

  test.each([
    ["on the same origin", "example.com", {}],
    ["on a subdomain", "app.example.com", { VITE_AUTH_URL: "https://auth.example.com" }],
    ["on another site", "app.example.org", { VITE_AUTH_URL: "https://auth.example.com", VITE_BEARER: "on" }],
  ])("%s: registers, shows what is protected, comes back and logs out", async (_, host, settings) => {
    const { VITE_AUTH_URL: authUrl, VITE_BEARER: isBearer } = settings as Record<string, string>;
    const files = join(folder, host);
    const vite = ["node_modules/vite/bin/vite.js", "build", "--emptyOutDir", "--outDir", files];
    await build("spa", vite, settings);
    const ISSUER = authUrl || `https://${host}`;
    const origins = authUrl ? [`https://${host}`] : [];
    const deployed = service.createSandbox({ ISSUER, ...cookie, ALLOWED_ORIGINS: origins.join() });
    const answer = serveApi(deployed, origins);
    hosts[new URL(ISSUER).host] = answer;
    hosts[host] = (request, response) => {
      const path = request.url === "/" ? "/index.html" : (request.url ?? "");
      const type = types[extname(path)];
      if (!authUrl && !type) return answer(request, response);
      if (!type) return response.writeHead(404).end();
      response.writeHead(200, { "content-type": type }).end(readFileSync(files + path));
    };
    const page = await (await browser.newContext()).newPage();
    await page.goto(`https://${host}/`);
    const email = await register(page);
    await page.getByText("Avatar").waitFor();
    if (!isBearer) {
      await page.reload();
      await page.getByText(`Hello ${email}`).waitFor();
      await page.getByText("Avatar").waitFor();
    }
    await logOut(page, isBearer ? [] : undefined);
    expect(await page.getByText("Avatar").count()).toBe(0);
  });
});

test("Next.js renders for whoever asks; the browser renews, and has the page rendered again", async () => {
  const TRUSTED_PROXY_SECRET = "a-secret-between-the-proxy-and-us";
  const proxy = { TRUSTED_PROXY_SECRET, TRUSTED_PROXY_HEADER: "x-client-address" };
  sandbox = service.createSandbox({ ISSUER: api, ...cookie, ...proxy });
  const next = "node_modules/next/dist/bin/next";
  const start = () => serve("nextjs", [next, "start"], { PROXY_SECRET: TRUSTED_PROXY_SECRET });
  const url = "https://www.example.com/";
  await build("nextjs", [next, "build"]);
  let stop = await start();
  const context = await browser.newContext();
  await context.clock.install();
  const page = await context.newPage();
  await page.goto(url);
  const email = await register(page);
  expect(log.entries()).toContainEqual(
    expect.objectContaining({ route: "POST /auth/login", ip: "203.0.113.7" }),
  );
  await page.getByLabel("Item").fill("Milk");
  await page.getByRole("button", { name: "Order" }).click();
  await page.getByText("Milk").waitFor();
  // The server itself rendered that; and it asks the API with the cookie as it came.
  expect(await (await page.reload())?.text()).toContain(`${email}`);
  await page.getByText("Your sessions").click();
  await page.getByText("since").waitFor();

  // A link on another site brings no cookie: rendered as for nobody, until the page has asked by itself.
  hosts["app.example.org"] = (_, response) => response.end(`<a href="${url}">Orders</a>`);
  await page.goto("https://app.example.org/");
  const [linked] = await Promise.all([page.waitForResponse(url), page.click("a")]);
  expect(await linked.text()).not.toContain(email);
  await page.getByText("Milk").waitFor();

  await page.goto("https://app.example.org/");
  clock.advance(1_000); // the token is over
  await context.clock.fastForward(1_000_000);
  await stop();
  stop = await start();
  const renewed = page.waitForResponse(`${url}auth/refresh`);
  expect(await (await page.goto(url))?.text()).not.toContain(email);
  expect((await renewed).status()).toBe(200);
  await page.getByText(`Hello ${email}`).waitFor();
  expect(await (await page.reload())?.text()).toContain(email);

  await logOut(page);
  expect(await (await page.reload())?.text()).not.toContain(email);
  await stop();
});

describe("a command-line client", () => {
  const folder = createFolder();
  const file = join(folder, "session.json");
  afterAll(() => removeFolder(folder));

  async function cli(command: string[], typed = ""): Promise<string> {
    const child = run("cli", ["cli.js", ...command], { AUTH_FILE: file });
    child.stdin.end(typed);
    let said = "";
    child.stdout.on("data", (text) => {
      said += text;
    });
    const [code] = await once(child, "close");
    return `${code} ${said.trim()}`;
  }

  test("keeps its session in a file, renews it, and forgets it", async () => {
    const { email, password, userId } = await service.register();
    expect(await cli(["login"], `${email}\n${password}\n`)).toBe("0 Logged in.");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await cli(["whoami"])).toBe(`0 ${email} (${userId})`);
    const before = readFileSync(file, "utf8");
    clock.advance(1_000); // the token is over
    expect(await cli(["get", "/movies"])).toBe('0 200 ["Avatar","Avengers"]');
    expect(readFileSync(file, "utf8")).not.toBe(before);
    expect(await cli(["logout"])).toBe("0 Logged out.");
    expect(existsSync(file)).toBe(false);
    expect(await cli(["whoami"])).toBe("1 ");
  });
});
