import { once } from "node:events";
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { startEngine } from "../../local/engine.ts";
import { sendLocally } from "../support/local-request.ts";
import { npmStart, npmStartFails, npmStartKilled, paste, type Started } from "../support/npm-start.ts";
import { copyProject, removeFolder } from "../support/project.ts";

// Each start builds all functions: beside other work that takes minutes, and no time is measured here.
jest.setTimeout(900_000);

const folder = copyProject();
let started: Started;

beforeAll(async () => {
  started = await npmStart(folder);
});

afterAll(async () => {
  await started.interrupt();
  removeFolder(folder);
});

/** The status codes of what `curl -i` printed. */
const statusOf = (answer: string) => Number(/^HTTP\/1.1 (\d+)/.exec(answer)?.[1]);

async function pasteAll({ curls }: Started): Promise<string[]> {
  const answers: string[] = [];
  for (const line of curls) answers.push(await paste(line));
  return answers;
}

test("the four printed lines, pasted, register, log in, fetch /movies and refresh", async () => {
  const [register = "", login = "", movies = "", refresh = ""] = await pasteAll(started);
  expect([register, login, movies, refresh].map(statusOf)).toEqual([201, 200, 200, 200]);
  expect(register).toContain('"email":"you@example.com"');
  expect(login).toMatch(/^set-cookie: auth-cookie=/m);
  expect(movies).toContain('["Avatar","Avengers"]');
  expect(refresh).toMatch(/^set-cookie: auth-cookie=/m);
});

test("says at once what takes so long, and in the end what a save changes, and what the next start", () => {
  expect(started.output()).toMatch(
    /All functions are built first\.[\s\S]* is ready\.[\s\S]*picked up.*\.yml, such as functions\/own\/functions\.yml/,
  );
});

async function logIn(url: string, headers = {}): Promise<{ status: number; cookies: string; all: string[] }> {
  const { status, headers: answered } = await fetch(`${url}/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ email: "you@example.com", password: "a long and private sentence" }),
  });
  const all = answered.getSetCookie();
  return { status, all, cookies: all.map((cookie) => cookie.split(";")[0]).join("; ") };
}

test("the cookie is one that Safari keeps from plain http, which is said; so does a page of 127.0.0.1", async () => {
  expect(started.output()).toContain("The cookie has no Secure attribute here");
  const url = started.url.replace("localhost", "127.0.0.1");
  const { status, all } = await logIn(url, { origin: url });
  expect([status, all.length]).toEqual([200, 2]);
  for (const cookie of all) expect(cookie).not.toMatch(/secure|__host/i);
});

/** Waits for the mail of this kind that stands in the terminal, and returns the code in its link. */
async function readCode({ url, output }: Started, kind: string, from = 0): Promise<string> {
  const mail = new RegExp(`^Mail to you@example\\.com: .* ${url}/#kind=${kind}&code=(\\w+) \\(`, "m");
  const find = () => mail.exec(output().slice(from))?.[1];
  while (!find()) await setTimeout(50);
  return find() ?? "";
}

/** Asks for a new password, and returns the code that is mailed. */
async function forgetPassword(asked: Started): Promise<string> {
  const { length } = asked.output();
  const answer = await fetch(`${asked.url}/auth/password/forgot`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email: "you@example.com" }),
  });
  const { codeBegins } = (await answer.json()) as { codeBegins: string };
  const code = await readCode(asked, "reset", length);
  expect(code[0]).toBe(codeBegins);
  return code;
}

/** What a response says of CORS. */
const corsOf = ({ headers }: Response) =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith("access-control-")));
const page = (origin: string, more = {}) => ({ headers: { origin, ...more } });
const preflight = (origin: string) => ({
  method: "OPTIONS",
  ...page(origin, { "access-control-request-method": "GET", "access-control-request-headers": "x-evil" }),
});

test("H11 pages of other origins find no CORS, as at a gateway without ALLOWED_ORIGINS", async () => {
  const movies = `${started.url}/movies`;
  for (const [request, status] of [
    [page("https://evil.example"), 401],
    [preflight("https://evil.example"), 405],
  ] as const) {
    const response = await fetch(movies, request);
    expect([response.status, corsOf(response)]).toEqual([status, {}]);
    expect(await response.json()).toMatchObject({ code: expect.any(String) });
  }
});

test("the port for Lambda's own clients is closed to pages of the web", async () => {
  const { LAMBDA_PORT } = started.ports;
  const jwks = `http://localhost:${LAMBDA_PORT}/2015-03-31/functions/serverless-auth-api-dev-jwks/invocations`;
  const invoke = (headers = {}) => sendLocally(jwks, headers, { method: "POST", body: "{}" });
  const pages = [
    { origin: "https://evil.example" },
    { "sec-fetch-site": "cross-site" },
    { host: "evil.example" },
  ];
  for (const headers of pages) {
    const response = await invoke(headers);
    expect([response.status, await response.text(), corsOf(response)]).toEqual([403, "", {}]);
  }
  expect(await (await invoke()).json()).toMatchObject({ statusCode: expect.any(Number) });
});

test("a forgotten password: the mail stands in the terminal and in two files", async () => {
  const code = await forgetPassword(started);
  const [file = ""] = started.output().match(/[^(]+(?=\.txt\)$)/m) ?? [];
  expect(started.output()).toContain(`Mails go here, and into .local/mails.`);
  for (const ending of ["txt", "html"])
    expect(readFileSync(join(folder, `${file}.${ending}`), "utf8")).toContain(code);
});

/** Sends a request as a browser that follows no redirect, and keeps the cookies in the jar. */
async function browse(jar: Map<string, string>, url: string, init: RequestInit = {}): Promise<Response> {
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
  const response = await fetch(url, { ...init, redirect: "manual", headers: { ...init.headers, cookie } });
  for (const line of response.headers.getSetCookie()) {
    const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    jar.set(name, value);
  }
  return response;
}

test("whoever types an address at the test provider is signed in; one that is not verified opens nothing", async () => {
  const { url, ports, output } = started;
  const atProvider = `http://127.0.0.1:${ports.PROVIDER_PORT}`;
  expect(output()).toContain(`Sign-in: Test provider at ${atProvider}`);
  const post = (body: object) => ({
    ...{ method: "POST", headers: { "content-type": "application/json", origin: url } },
    body: JSON.stringify(body),
  });

  /** Signs in with what is typed at the provider. */
  async function signIn(form: Record<string, string>) {
    const [here, there] = [new Map<string, string>(), new Map<string, string>()];
    const begun = await browse(here, `${url}/auth/external/test`, post({}));
    const { authorizationUrl } = (await begun.json()) as { authorizationUrl: string };
    const follow = async (answer: Response) => new URL(answer.headers.get("location") ?? "", atProvider).href;
    const page = await follow(await browse(there, authorizationUrl));
    expect(await (await browse(there, page)).text()).toContain("E-mail address");
    const typed = await browse(there, page, { method: "POST", body: new URLSearchParams(form) });
    const returned = new URL(await follow(await browse(there, await follow(typed))));
    expect(returned.origin + returned.pathname).toBe(`${url}/signed-in/test`);
    const body = Object.fromEntries(returned.searchParams);
    const answer = await browse(here, `${url}/auth/external/test/finish`, post(body));
    return { status: answer.status, body: await answer.json(), me: await browse(here, `${url}/auth/me`) };
  }

  const { status, me } = await signIn({ email: "Someone@example.com", verified: "on" });
  expect([status, await me.json()]).toEqual([200, expect.objectContaining({ email: "someone@example.com" })]);
  expect(await signIn({ email: "other@example.com" })).toMatchObject({
    ...{ status: 403, body: { code: "email_not_verified" } },
  });
});

test("the test provider returns to the examples as docs/topologies.md has them on a laptop", async () => {
  const docs = readFileSync("docs/topologies.md", "utf8");
  const pages = new Set(docs.match(/http:\/\/(?:localhost|127\.0\.0\.1):4000/g));
  expect(pages.size).toBe(2);
  for (const page of pages) {
    const response = await fetch(`${started.url}/auth/external/test`, {
      ...{ method: "POST", headers: { "content-type": "application/json" } },
      body: JSON.stringify({ redirectUri: `${page}/signed-in/test` }),
    });
    expect([page, response.status]).toEqual([page, 200]);
  }
});

/** The file of the sample route, and what stands there. */
const moviesFile = join(folder, "functions/sample/movies.ts");
const movies = readFileSync(moviesFile, "utf8");

/** Saves a file in one step, so that nobody sees half of it. */
function save(content: string, file = moviesFile): void {
  writeFileSync(`${file}.new`, content);
  renameSync(`${file}.new`, file);
}

/**
 * Asks for the sample route until one answer is this one. Each must be answered. `pressure` is how many ask at once, without pause;
 * by default one asks now and then.
 */
async function askUntil(last: string, { pressure = 0 } = {}): Promise<string[]> {
  const { cookies: cookie } = await logIn(started.url);
  const answers: string[] = [];
  async function ask() {
    while (!answers.includes(last)) {
      const signal = AbortSignal.timeout(300_000);
      const response = await fetch(`${started.url}/movies`, { headers: { cookie }, signal });
      answers.push(`${response.status} ${await response.text()}`);
      if (!pressure) await setTimeout(50);
    }
  }
  await Promise.all(Array.from({ length: pressure || 1 }, ask));
  return answers;
}

test("each saved change is picked up, what the code logs is shown, and every request meanwhile is answered", async () => {
  let before = '200 ["Avatar","Avengers"]';
  for (const title of ["Arrival", "Alien", "Aladdin"]) {
    const after = before.replace(/"A\w+"/, `"${title}"`);
    save(`${movies.replace("Avatar", title)}console.log("${title} is on");\n`);
    const answers = await askUntil(after, { pressure: 8 });
    expect(answers.filter((answer) => answer !== before && answer !== after)).toEqual([]);
    expect(started.output()).toContain(`${title} is on`);
    before = after;
  }
});

test("a file that is written in two steps, as a busy machine or an editor does, is picked up whole", async () => {
  for (const pause of [5, 20, 40]) {
    const file = openSync(moviesFile, "w");
    await setTimeout(pause);
    writeSync(file, movies.replace("Avatar", `A${pause}`));
    closeSync(file);
    await askUntil(`200 ["A${pause}","Avengers"]`);
  }
});

test("a function that cannot be loaded answers 500 as at the gateway, and the terminal names its file; the next save mends it", async () => {
  save(`throw new Error("no such luck");\n${movies}`);
  await askUntil('500 {"message":"Internal Server Error"}');
  expect(started.output()).toMatch(/^functions\/sample\/movies\.ts has failed: .*no such luck/m);
  save(movies);
  await askUntil('200 ["Avatar","Avengers"]');
});

test.each([
  ["an error that nobody catches", 'setTimeout(() => { throw new Error("too late"); })', "too late"],
  ["the end of its process", "process.exit(7)", "exit code 7"],
])("a function that ends by %s answers 500, and npm start goes on", async (_, line, message) => {
  save(movies.replace("() => json", `async () => (${line}, await new Promise(() => {}), json)`));
  await askUntil('500 {"message":"Internal Server Error"}');
  expect(started.output()).toMatch(new RegExp(`^functions/sample/movies\\.ts has failed: .*${message}`, "m"));
  save(movies);
  await askUntil('200 ["Avatar","Avengers"]');
});

test("code that does not build is said, and answered with 500; the other functions go on, and the next save mends it", async () => {
  save(`const = 1;\n${movies}`);
  await askUntil('500 {"message":"Internal Server Error"}');
  expect(started.output()).toContain("functions/sample/movies.ts:1:6");
  expect((await logIn(started.url)).status).toBe(200);
  save(movies);
  await askUntil('200 ["Avatar","Avengers"]');
});

test("a file of several functions that does not build: they are answered with 500, the others go on, and the next save mends it", async () => {
  const listFile = join(folder, "lib/auth/session/list.ts");
  const list = readFileSync(listFile, "utf8");
  const { cookies: cookie } = await logIn(started.url);
  const listSessions = async () =>
    (await fetch(`${started.url}/auth/sessions`, { headers: { cookie } })).status;
  expect(await listSessions()).toBe(200);
  save(`const = 1;\n${list}`, listFile);
  while ((await listSessions()) !== 500) await setTimeout(50);
  expect(started.output()).toContain("lib/auth/session/list.ts:1:6");
  expect((await logIn(started.url)).status).toBe(200);
  save(list, listFile);
  while ((await listSessions()) !== 200) await setTimeout(50);
});

test("the private key is readable by its owner only, and so is all that npm start keeps", () => {
  expect(statSync(join(folder, ".local/keys.json")).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, ".local")).mode & 0o777).toBe(0o700);
});

describe("what it refuses, with a message and no stack", () => {
  test("ports that are taken, with how to choose others", async () => {
    const occupant = createServer().listen(0, "127.0.0.1");
    await once(occupant, "listening");
    const port = String((occupant.address() as AddressInfo).port);
    const ports = { PORT: port, LAMBDA_PORT: port, PROVIDER_PORT: port, DYNAMODB_PORT: port };
    const { code, output } = await npmStartFails(folder, ports);
    occupant.close();
    for (const variable of Object.keys(ports)) {
      expect(output).toMatch(`is taken. Choose another: ${variable}=<port> npm start`);
    }
    expect(code).toBe(1);
  });

  test.each([
    ["what is no port", { PORT: "http" }, "PORT must be a port number"],
    ["what is no engine", { LOCAL_ENGINE: "postgres" }, "There are: dynalite, dynoxide"],
    [
      "a provider without a secret",
      { IDENTITY_PROVIDERS: '[{"id":"google"}]' },
      "Next: npm run providers -- secret <id>",
    ],
    ["a second run in the same folder", {}, "choose another: LOCAL_DIR=<folder>"],
    [
      "wrong settings, all at once",
      { LOCAL_DIR: ".local/other", PASSWORD_MIN_LENGTH: "3", ALLOWED_ORIGINS: "*" },
      /- ALLOWED_ORIGINS must be .*\n- PASSWORD_MIN_LENGTH must be /,
    ],
    ["an engine that is not there", { DYNAMODB_ENDPOINT: "http://localhost:1" }, "http://localhost:1"],
  ])("%s", async (_case, env: Record<string, string>, message) => {
    const { code, output } = await npmStartFails(folder, env);
    expect(output).toMatch(message);
    expect(output).not.toMatch(/^\s+at /m);
    expect(code).toBe(1);
  });

  test("code that does not build", async () => {
    const broken = copyProject();
    writeFileSync(join(broken, "functions/session/me.ts"), "const = 1");
    const { code, output } = await npmStartFails(broken, {});
    expect(output).toContain("functions/session/me.ts:1:6");
    expect(output).toContain("The functions do not build");
    expect(code).toBe(1);
    removeFolder(broken);
  });
});

test("whoever kills npm while the functions are built leaves nothing running", async () => {
  expect(await npmStartKilled(folder, { LOCAL_DIR: ".local/killed" })).toEqual([]);
});

test("Ctrl-C ends everything; another start knows the users, and takes settings from its environment; with REGISTRATION=closed it prints no line that registers", async () => {
  expect(started.output()).toContain("The tables are in dynalite, kept in .local/dynamodb.");
  const { length } = started.output();
  expect(await started.interrupt()).toEqual([]);
  expect(started.output().slice(length)).not.toMatch(/^\s+at /m);
  const listed = "http://localhost:5173";
  const settings = { ALLOWED_ORIGINS: `https://app.example.com,${listed}`, ALLOWED_HEADERS: "X-Request-Id" };
  started = await npmStart(folder, {
    COOKIE_NAME: "another-cookie",
    REGISTRATION: "closed",
    ...settings,
  });
  expect(started.output()).toContain("Nobody can register, since REGISTRATION is closed.");
  const answers = await pasteAll(started);
  expect(answers.map(statusOf)).toEqual([200, 200, 200]);
  expect(answers[2]).toMatch(/^set-cookie: another-cookie=/m);

  const allowed = { "access-control-allow-origin": listed, "access-control-allow-credentials": "true" };
  const methods = "GET,POST,PATCH,DELETE";
  const headers =
    "content-type,authorization,auth-mode,idempotency-key,idempotency-key-previous,session-key,x-request-id";
  for (const [request, status, cors] of [
    [page(listed), 401, { ...allowed, "access-control-expose-headers": "retry-after" }],
    [page("https://evil.example"), 401, {}],
    [
      ...([preflight(listed), 204] as const),
      { ...allowed, "access-control-allow-methods": methods, "access-control-allow-headers": headers },
    ],
    [preflight("https://evil.example"), 204, {}],
  ] as const) {
    const response = await fetch(`${started.url}/movies`, request);
    expect([response.status, corsOf(response)]).toEqual([status, cors]);
  }
});

test("DYNAMODB_ENDPOINT chooses another engine, with tables and streams of its own; with REGISTRATION=verified the printed lines register with the mailed code", async () => {
  // One that has streams itself, where there is one.
  const engine = await startEngine({ name: existsSync("node_modules/@dynoxide") ? "dynoxide" : "dynalite" });
  const LOCAL_DIR = join(folder, "elsewhere");
  const settings = { DYNAMODB_ENDPOINT: engine.endpoint, LOCAL_DIR, REGISTRATION: "verified" };
  const other = await npmStart(folder, settings);
  expect(other.output()).toContain(`The tables are at DYNAMODB_ENDPOINT ${engine.endpoint}.`);
  const [ask = "", confirm = "", ...lines] = other.curls;
  const asked = await paste(ask);
  const [, challenge = ""] = /"challenge":"([^"]+)"/.exec(asked) ?? [];
  const code = await readCode(other, "register");
  const answers = [asked, await paste(confirm.replace("CHALLENGE", challenge).replace("CODE", code))];
  for (const line of lines) answers.push(await paste(line));
  expect(answers.map(statusOf)).toEqual([202, 201, 200, 200, 200]);
  expect(existsSync(join(LOCAL_DIR, "dynamodb"))).toBe(false);
  expect(await other.interrupt()).toEqual([]);
  await engine.stop();
});
