import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { request as send } from "node:http";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { clock } from "../support/clock.ts";
import { createFolder, removeFolder } from "../support/project.ts";
import { startService } from "../support/service.ts";
import { forward, startNames, startPlain } from "./support/names.ts";
import { createAccount } from "./support/site.ts";

// The applications of examples/ as somebody starts them, with the functions of the service behind them. First, once:
// npm ci --prefix examples/express-spa && npm ci --prefix examples/cli

const service = await startService();
let sandbox = service.sandbox;
const api = await startPlain((request, response) => forward(sandbox, request, response));
sandbox = service.createSandbox({ ISSUER: api, COOKIE_NAME: "__Host-auth-cookie" });

const { browser, hosts } = await startNames();
const { PATH = "", HOME = "" } = process.env;
const held = ["--import", resolve("tests/support/held-clock.mjs")];

/** Runs a file of an example with the time of the tests. */
function run(example: string, args: string[], env: Record<string, string>) {
  const cwd = resolve("examples", example);
  if (!existsSync(join(cwd, "node_modules"))) throw new Error(`npm ci --prefix examples/${example}`);
  const settings = { PATH, HOME, HELD_TIME: `${clock.now}`, AUTH_URL: api, ...env };
  return spawn(process.execPath, [...held, ...args], {
    cwd,
    env: settings,
    stdio: ["pipe", "pipe", "inherit"],
  });
}

test("a single-page application on Express: registers, orders, comes back and logs out", async () => {
  const server = run("express-spa", ["server.js"], { PORT: "0", COOKIE_NAME: "__Host-auth-cookie" });
  const [said] = await once(server.stdout, "data");
  const { port } = new URL(String(said).trim());
  hosts["www.example.com"] = (incoming, outgoing) => {
    const { method, url: path, headers } = incoming;
    const onward = send({ host: "127.0.0.1", port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(onward);
  };
  const page = await (await browser.newContext()).newPage();
  const { email, password } = createAccount();
  await page.goto("https://www.example.com/");
  await page.getByText("Log in, or register.").waitFor();
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Register" }).click();
  await page.getByText(`Hello ${email}`).waitFor();
  await page.getByLabel("Item").fill("Milk");
  await page.getByRole("button", { name: "Order" }).click();
  await page.getByText("Milk").waitFor();
  await page.reload();
  await page.getByText("Milk").waitFor();
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByText("Log in, or register.").waitFor();
  expect(await page.getByText("Milk").count()).toBe(0);
  expect(await page.context().cookies()).toEqual([
    expect.objectContaining({ name: expect.stringMatching(/-device$/) }),
  ]);
  server.kill();
  await once(server, "exit");
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
