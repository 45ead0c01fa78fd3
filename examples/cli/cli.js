#!/usr/bin/env node
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline/promises";
import { createAuthClient } from "serverless-auth-client";

const { AUTH_URL = "http://localhost:3000", AUTH_FILE = join(homedir(), ".example-cli/session.json") } =
  process.env;

/** The token pair, in a file for this user's eyes only; it is replaced at once, or not at all. */
const tokens = {
  load() {
    try {
      return JSON.parse(readFileSync(AUTH_FILE, "utf8"));
    } catch {
      return undefined;
    }
  },
  save(pair) {
    if (!pair) return rmSync(AUTH_FILE, { force: true });
    mkdirSync(dirname(AUTH_FILE), { recursive: true, mode: 0o700 });
    writeFileSync(`${AUTH_FILE}.new`, JSON.stringify(pair), { mode: 0o600 });
    renameSync(`${AUTH_FILE}.new`, AUTH_FILE);
  },
};
const auth = createAuthClient({ baseUrl: AUTH_URL, tokens });

const commands = {
  async login() {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    const answers = lines[Symbol.asyncIterator]();
    const ask = async (question) => {
      process.stderr.write(question);
      return (await answers.next()).value;
    };
    await auth.login({ email: await ask("E-mail: "), password: await ask("Password: ") });
    lines.close();
    console.log("Logged in.");
  },
  async whoami() {
    const { email, sub } = await auth.me();
    console.log(`${email} (${sub})`);
  },
  async get(path = "/movies") {
    const response = await auth.fetch(path);
    console.log(response.status, await response.text());
  },
  async logout() {
    await auth.logout();
    console.log("Logged out.");
  },
};

const [name = "", ...args] = process.argv.slice(2);
if (!Object.hasOwn(commands, name)) {
  console.error(`Usage: cli.js ${Object.keys(commands).join(" | ")}`);
  process.exit(2);
}
await commands[name](...args).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
