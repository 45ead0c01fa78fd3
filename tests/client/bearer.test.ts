import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { pathToFileURL } from "node:url";
import { afterAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { AuthClientOptions, Tokens } from "../../client/auth-client.ts";
import { clock } from "../support/clock.ts";
import { answerHttp } from "../support/gateway.ts";
import { decodeClaims } from "../support/pair.ts";
import { startService } from "../support/service.ts";

const { createAuthClient }: typeof import("../../client/auth-client.ts") = await import(
  pathToFileURL(".local/test/client/auth-client.js").href
);
const service = await startService();
const account = await service.register();
const credentials = { email: account.email, password: account.password };

interface Seen {
  name: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** How often the connection is to break after the API has done what it was asked. */
let answersToLose = 0;
let seen: Seen[] = [];
const api = await serve(async ({ name, headers, body }) => {
  const [method = "", url = ""] = name.split(" ");
  if (url === "/leave") return { statusCode: 307, headers: { location: `${stranger.url}/movies` } };
  const flat = Object.fromEntries(Object.entries(headers).map(([key, value]) => [key, String(value)]));
  const answer = await answerHttp(service.sandbox, { method, url, headers: flat, body });
  if (answersToLose === 0) return answer;
  answersToLose--;
  return undefined;
});
let strangerSaw: Seen[] = [];
const stranger = await serve(async (request) => {
  strangerSaw.push(request);
  return { statusCode: 401, headers: {} };
});

beforeEach(() => {
  answersToLose = 0;
  seen = [];
  strangerSaw = [];
});

type Answer = { statusCode: number; headers: Record<string, string>; body?: string };

async function serve(answer: (request: Seen) => Promise<Answer | undefined>) {
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const request = { name: `${incoming.method} ${incoming.url}`, headers: incoming.headers, body };
    if (server === api.server) seen.push(request);
    const answered = await answer(request);
    if (!answered) return void outgoing.destroy();
    outgoing.writeHead(answered.statusCode, answered.headers).end(answered.body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** Keeps tokens as a program keeps them: as text. */
function createStore() {
  const saved: (Tokens | undefined)[] = [];
  let text: string | undefined;
  return {
    saved,
    load: (): Tokens | undefined => (text === undefined ? undefined : JSON.parse(text)),
    async save(tokens: Tokens | undefined): Promise<void> {
      saved.push(tokens);
      text = tokens && JSON.stringify(tokens);
    },
  };
}

async function openSession(options: AuthClientOptions = {}) {
  const tokens = createStore();
  const ends: string[] = [];
  const auth = createAuthClient({
    baseUrl: api.url,
    tokens,
    onSessionEnd: (error) => ends.push(error?.code ?? "elsewhere"),
    ...options,
  });
  await auth.login(credentials);
  seen = [];
  return { auth, tokens, ends };
}

const names = () => seen.map(({ name }) => name);

describe("a bearer client in Node", () => {
  test("keeps its pair itself and sends it where it belongs, without a cookie", async () => {
    const { auth, tokens } = await openSession();
    const { token, refreshToken } = tokens.load() as Tokens;
    expect(await (await auth.fetch("/movies")).json()).toEqual(["Avatar", "Avengers"]);
    expect(await auth.me()).toMatchObject({ sub: account.userId });
    clock.advance(1000);
    expect((await auth.fetch("/movies")).status).toBe(200);
    await auth.logout();
    expect(names()).toEqual([
      "GET /movies",
      "GET /auth/me",
      "POST /auth/refresh",
      "GET /movies",
      "POST /auth/logout",
    ]);
    const [movies, , refresh, again, logout] = seen as [Seen, Seen, Seen, Seen, Seen];
    expect(movies.headers.authorization).toBe(`Bearer ${token}`);
    expect(JSON.parse(refresh.body)).toEqual({ token, refreshToken });
    expect(JSON.parse(logout.body).token).toBe(again.headers.authorization?.slice("Bearer ".length));
    expect(JSON.parse(logout.body).refreshToken).not.toBe(refreshToken);
    for (const { headers } of seen) expect(headers.cookie).toBeUndefined();
    for (const { headers } of [refresh, logout]) {
      expect([headers["auth-mode"], headers.authorization]).toEqual(["bearer", undefined]);
    }
    expect(tokens.load()).toBeUndefined();
    const { sub: userId, sid: sessionId } = decodeClaims(token);
    expect(await service.database.find("sessions", { userId, sessionId })).toBeUndefined();
  });

  test("keeps the old pair until a new one came, and repeats what was lost with the same key", async () => {
    const { auth, tokens } = await openSession();
    const before = tokens.load() as Tokens;
    clock.advance(1000);
    answersToLose = 1;
    const refreshing = auth.refresh();
    expect((tokens.load() as Tokens).refreshToken).toBe(before.refreshToken);
    await refreshing;
    expect((tokens.load() as Tokens).refreshToken).not.toBe(before.refreshToken);
    expect(names()).toEqual(["POST /auth/refresh", "POST /auth/refresh"]);
    const keys = seen.map(({ headers }) => headers["idempotency-key"]);
    expect(keys).toEqual([before.key, before.key]);
    expect(tokens.saved.every((saved) => saved?.token)).toBe(true);
  });

  test("goes on after a crash in the middle of a refresh", async () => {
    const { tokens } = await openSession();
    clock.advance(1000);
    const crashed = createAuthClient({
      baseUrl: api.url,
      tokens,
      fetch: async (...args) => {
        await fetch(...args);
        return new Promise(() => {});
      },
    });
    void crashed.refresh();
    while (seen.length < 1) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(8 * 3600);
    const ends: string[] = [];
    const restarted = createAuthClient({
      baseUrl: api.url,
      tokens,
      onSessionEnd: (error) => ends.push(error?.code ?? "elsewhere"),
    });
    expect((await restarted.fetch("/movies")).status).toBe(200);
    expect(ends).toEqual([]);
    const [lost, repeated] = seen;
    expect(repeated?.headers["idempotency-key"]).toBe(lost?.headers["idempotency-key"]);
    expect(repeated?.body).toBe(lost?.body);
  });

  test("takes a pair that somebody else has logged in for", async () => {
    const { tokens } = await openSession();
    const { token, refreshToken } = tokens.load() as Tokens;
    await tokens.save({ token, refreshToken });
    const auth = createAuthClient({ baseUrl: api.url, tokens });
    expect((await auth.fetch("/movies")).status).toBe(200);
    clock.advance(1000);
    seen = [];
    expect((await auth.fetch("/movies")).status).toBe(200);
    expect(names()).toEqual(["GET /movies", "POST /auth/refresh", "GET /movies"]);
  });

  test("is told once that its session has ended, and forgets the pair", async () => {
    const { auth, tokens, ends } = await openSession();
    const { sub: userId, sid: sessionId } = decodeClaims((tokens.load() as Tokens).token);
    await service.database.delete("sessions", { userId, sessionId });
    clock.advance(1000);
    const responses = await Promise.all([1, 2, 3].map(() => auth.fetch("/movies")));
    expect(responses.map(({ status }) => status)).toEqual([401, 401, 401]);
    expect(ends).toEqual(["token_expired"]);
    expect(tokens.load()).toBeUndefined();
    await expect(auth.refresh()).rejects.toMatchObject({ status: 401, code: "missing_credentials" });
    await auth.logout();
    expect(names().filter((name) => name !== "GET /movies")).toEqual(["POST /auth/refresh"]);
    expect(ends.length).toBe(1);
  });

  test("keeps its pair when something in between answers a refresh", async () => {
    const { auth, tokens } = await openSession({
      fetch: async (...args) =>
        String(args[0]).endsWith("/refresh") ? Response.json({ msg: "Welcome" }) : fetch(...args),
    });
    const before = tokens.load();
    clock.advance(1000);
    await expect(auth.refresh()).rejects.toMatchObject({ status: 0, code: "network_error" });
    expect(tokens.load()).toMatchObject({ token: before?.token, refreshToken: before?.refreshToken });
  });
});

describe("its token", () => {
  test("goes to no other origin, not even by a redirect", async () => {
    const { auth } = await openSession();
    expect((await auth.fetch(`${stranger.url}/movies`)).status).toBe(401);
    expect((await auth.fetch(new Request(`${stranger.url}/movies`))).status).toBe(401);
    expect((await auth.fetch(new URL(`${stranger.url}/movies`))).status).toBe(401);
    clock.advance(100);
    expect((await auth.fetch("/leave")).status).toBe(401);
    expect(strangerSaw.length).toBeGreaterThanOrEqual(4);
    for (const { headers } of strangerSaw) expect(headers.authorization).toBeUndefined();
  });

  test("goes to the origins that the application names", async () => {
    const { auth, tokens } = await openSession({ origins: [stranger.url] });
    const { token } = tokens.load() as Tokens;
    await auth.fetch(`${stranger.url}/movies`, { headers: { "x-test": "1" } });
    expect(strangerSaw[0]?.headers).toMatchObject({ authorization: `Bearer ${token}`, "x-test": "1" });
  });
});
