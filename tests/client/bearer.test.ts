import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, test } from "@jest/globals";
import type { Tokens } from "../../client/auth-client.ts";
import { bodyOf } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { answerHttp } from "../support/gateway.ts";
import { decodeClaims } from "../support/pair.ts";
import { loseAnswer, loseRequest } from "./browser.ts";
import { account, browser, createStore, credentials, openSession, service } from "./setup.ts";

async function openBearerSession(options: Parameters<typeof openSession>[0] = {}) {
  const tokens = createStore();
  const [tab] = await openSession({ tokens, ...options });
  return { ...tab, tokens, before: tokens.load() as Tokens };
}

describe("a bearer client", () => {
  test("keeps its pair itself and sends it where it belongs, without a cookie", async () => {
    const { auth, tokens, before } = await openBearerSession();
    expect(await (await auth.fetch("/movies")).json()).toEqual(["Avatar", "Avengers"]);
    expect(await auth.me()).toMatchObject({ sub: account.userId });
    clock.advance(1000);
    expect((await auth.fetch("/movies")).status).toBe(200);
    await auth.logout();
    const names = ["GET /movies", "GET /auth/me", "POST /auth/refresh", "GET /movies", "POST /auth/logout"];
    expect(browser.requests.map(({ name }) => name)).toEqual(names);
    const [movies, , refresh, again, logout] = browser.requests;
    const { token, refreshToken } = before;
    expect(movies?.headers.authorization).toBe(`Bearer ${token}`);
    expect(JSON.parse(refresh?.body ?? "")).toEqual({ token, refreshToken });
    const ended = JSON.parse(logout?.body ?? "");
    expect(`Bearer ${ended.token}`).toBe(again?.headers.authorization);
    expect(ended.refreshToken).not.toBe(refreshToken);
    for (const { hasCookies } of browser.requests) expect(hasCookies).toBe(false);
    for (const request of [refresh, logout])
      expect([request?.headers["auth-mode"], request?.headers.authorization]).toEqual(["bearer", undefined]);
    expect(tokens.load()).toBeUndefined();
    const { sub: userId, sid: sessionId } = decodeClaims(token);
    expect(await service.database.find("sessions", { userId, sessionId })).toBeUndefined();
  });

  test("keeps the old pair until a new one came, and goes on after a crash in the middle of a refresh", async () => {
    const { auth, tokens, before, close } = await openBearerSession({ age: 1000 });
    browser.break("POST /auth/refresh", loseAnswer);
    void auth.refresh();
    await browser.idle();
    expect(tokens.load()?.refreshToken).toBe(before.refreshToken);
    close();
    clock.advance(8 * 3600);
    const restarted = await browser.openTab({ tokens });
    expect((await restarted.auth.fetch("/movies")).status).toBe(200);
    expect(restarted.ends).toEqual([]);
    const [lost, repeated] = browser.requests;
    expect([repeated?.key, repeated?.body]).toEqual([before.key, lost?.body]);
    expect(tokens.saved.every((saved) => saved?.token)).toBe(true);
  });

  test("takes a pair that somebody else has logged in for", async () => {
    const tokens = createStore();
    const headers = { "auth-mode": "bearer" };
    const { token, refreshToken } = bodyOf(await service.sandbox.login({ body: credentials, headers }));
    await tokens.save({ token, refreshToken });
    const { auth } = await browser.openTab({ tokens });
    expect((await auth.fetch("/movies")).status).toBe(200);
    clock.advance(1000);
    expect((await auth.fetch("/movies")).status).toBe(200);
    const renewed = ["GET /movies 401", "POST /auth/refresh 200", "GET /movies 200"];
    expect(browser.names).toEqual(["GET /movies 200", ...renewed]);
  });

  test("changes its password, and has the pair of the new session", async () => {
    const owner = await service.register();
    const { auth, tokens, before } = await openBearerSession({ as: owner });
    const newPassword = "a new and longer sentence";
    await auth.changePassword({ currentPassword: owner.password, newPassword });
    expect(decodeClaims(tokens.load()?.token ?? "").sid).not.toBe(decodeClaims(before.token).sid);
    clock.advance(1000);
    expect((await auth.fetch("/movies")).status).toBe(200);
  });

  test("is logged out here without a network, too: nobody who is there next has its session", async () => {
    const { auth, tokens } = await openBearerSession();
    browser.break("POST", loseRequest, { times: 9 });
    const error = { name: "AuthError", status: 0, code: "network_error" };
    await expect(browser.patiently(auth.logout())).rejects.toMatchObject(error);
    expect(tokens.load()).toBeUndefined();
    expect((await auth.fetch("/movies")).status).toBe(401);
  });

  describe("that logs out", () => {
    /** The sessions of a user of this test alone. */
    const sessionsOf = ({ userId }: { userId: string }) => service.database.sessionsOf(userId);

    test("forgets its pair at once and ends its session, whatever hangs; no late pair comes back", async () => {
      const owner = await service.register();
      const { auth, tokens } = await openBearerSession({ as: owner, age: 1000 });
      const { arrived, release } = browser.hold("POST /auth/refresh");
      const refreshing = auth.refresh();
      await arrived;
      const leaving = auth.logout();
      await browser.idle();
      expect(tokens.load()).toBeUndefined();
      await leaving;
      expect(await sessionsOf(owner)).toEqual([]);
      release();
      await refreshing;
      expect(tokens.load()).toBeUndefined();
      expect((await auth.fetch("/movies")).status).toBe(401);
    });

    test("while it logs in, or changes its password, ends the session that this has opened", async () => {
      const owner = await service.register();
      const { auth, tokens } = await openBearerSession({ as: owner });
      const [currentPassword, newPassword] = [owner.password, "a new and longer sentence"];
      for (const [name, act] of [
        ["password", () => auth.changePassword({ currentPassword, newPassword })],
        ["login", () => auth.login({ email: owner.email, password: newPassword })],
      ] as const) {
        const { arrived, release } = browser.hold(`POST /auth/${name}`);
        const opening = act();
        await arrived;
        clock.advance(1);
        await auth.logout();
        release();
        await opening;
        expect([tokens.load(), await sessionsOf(owner)]).toEqual([undefined, []]);
      }
    });

    test("and in again before the API has answered, keeps the new pair", async () => {
      const { auth, tokens } = await openBearerSession();
      const { arrived, release } = browser.hold("POST /auth/logout");
      const leaving = auth.logout();
      await arrived;
      await auth.login(credentials);
      const pair = tokens.load();
      release();
      await leaving;
      expect(tokens.load()).toEqual(pair);
    });
  });

  test.each(["", "{", "null", '"text"', "{}", '{"token":"t"}', '{"token":"t","refreshToken":"r","key":"k"}'])(
    "whose store holds %j has no session, and logs in",
    async (text) => {
      const tokens = { load: () => JSON.parse(text), save: () => {} };
      const { auth } = await browser.openTab({ tokens });
      expect((await auth.fetch("/movies")).status).toBe(401);
      await expect(auth.refresh()).rejects.toMatchObject({ code: "missing_credentials" });
      await auth.login(credentials);
    },
  );

  test("is recognised at its next login, also after a renewal: that ends the session before", async () => {
    const { auth, tokens } = await openBearerSession({ age: 1000 });
    await auth.refresh();
    const { sub: userId, sid: sessionId } = decodeClaims(tokens.load()?.token ?? "");
    await auth.login(credentials);
    expect(await service.database.find("sessions", { userId, sessionId })).toBeUndefined();
  });

  describe("whose store cannot forget the pair", () => {
    const readOnly = new Error("a read-only file system");
    /** A store that cannot be emptied. */
    async function openStuckSession(options?: Parameters<typeof openSession>[0]) {
      const opened = await openBearerSession(options);
      const { tokens } = opened;
      const { save } = tokens;
      tokens.save = (pair) => (pair ? save(pair) : Promise.reject(readOnly));
      return { ...opened, mend: () => Object.assign(tokens, { save }) };
    }

    test.each<[string, string[]]>([
      ["ends the session at the API", ["POST /auth/logout 200"]],
      ["and has no network", Array(3).fill("POST /auth/logout lost")],
    ])("says so at a logout, %s, and never uses it again", async (_what, names) => {
      const { auth, tokens, before, mend } = await openStuckSession();
      if (names.length > 1) browser.break("POST", loseRequest, { times: 3 });
      await expect(browser.patiently(auth.logout())).rejects.toBe(readOnly);
      expect([browser.names, tokens.load()]).toEqual([names, before]);
      expect((await auth.fetch("/movies")).status).toBe(401);
      expect(browser.requests.at(-1)?.headers).not.toHaveProperty("authorization");
      await expect(auth.logout()).rejects.toBe(readOnly);
      mend();
      await auth.logout();
      expect(tokens.load()).toBeUndefined();
      await auth.login(credentials);
      expect((await auth.fetch("/movies")).status).toBe(200);
    });

    test("is told once that its session has ended, and never uses it again", async () => {
      const { auth, before, ends } = await openStuckSession({ age: 1000 });
      const { sub: userId, sid: sessionId } = decodeClaims(before.token);
      await service.database.delete("sessions", { userId, sessionId });
      for (let times = 1; times <= 2; times++) expect((await auth.fetch("/movies")).status).toBe(401);
      expect(ends).toEqual(["token_expired"]);
      expect(browser.names).toEqual(["POST /auth/refresh 400", ...Array(2).fill("GET /movies 401")]);
      expect(browser.requests.at(-1)?.headers).not.toHaveProperty("authorization");
    });
  });

  test("whose store cannot be read while a login is answered is who has logged in", async () => {
    const second = await service.register();
    const tokens = createStore();
    let isLocked = false;
    const load = () => (isLocked ? Promise.reject(new Error("the keychain is locked")) : tokens.load());
    const [{ auth }] = await openSession({ tokens: { load, save: tokens.save } });
    const { arrived, release } = browser.hold("POST /auth/login");
    const login = auth.login({ email: second.email, password: second.password });
    await arrived;
    isLocked = true;
    release();
    await login;
    isLocked = false;
    expect(await auth.me()).toMatchObject({ sub: second.userId });
  });

  test("is told once that its session has ended, and forgets the pair", async () => {
    const { auth, tokens, before, ends } = await openBearerSession({ age: 1000 });
    const { sub: userId, sid: sessionId } = decodeClaims(before.token);
    await service.database.delete("sessions", { userId, sessionId });
    const responses = await Promise.all([1, 2, 3].map(() => auth.fetch("/movies")));
    expect(responses.map(({ status }) => status)).toEqual([401, 401, 401]);
    expect(tokens.load()).toBeUndefined();
    await expect(auth.refresh()).rejects.toMatchObject({ status: 401, code: "missing_credentials" });
    await auth.logout();
    expect(browser.names.filter((name) => name.startsWith("POST"))).toEqual(["POST /auth/refresh 400"]);
    expect(ends).toEqual(["token_expired"]);
  });
});

const servers: Server[] = [];

afterAll(() => {
  for (const server of servers) server.close().closeAllConnections();
});

test("in Node the token goes to the API and the origins named, and to no other, not even by a redirect", async () => {
  const seen: Record<string, (string | undefined)[]> = { api: [], stranger: [] };
  const serve = async (name: string, answer: (request: object) => ReturnType<typeof answerHttp>) => {
    const server = createServer(async (incoming, outgoing) => {
      const { method = "", url = "", headers } = incoming;
      seen[name]?.push(headers.authorization);
      const body = (await incoming.toArray()).join("");
      const { statusCode, ...answered } = await answer({ method, url, headers, body } as object);
      outgoing.writeHead(statusCode, answered.headers).end(answered.body);
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    servers.push(server);
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const stranger = await serve("stranger", async () => ({ statusCode: 401, headers: {} }));
  const baseUrl = await serve("api", async (request) =>
    (request as { url: string }).url.startsWith("/leave")
      ? { statusCode: 307, headers: { location: `${stranger}/movies` } }
      : answerHttp(service.sandbox, request as never),
  );
  const path = pathToFileURL(".local/test/client/auth-client.js").href;
  const { createAuthClient }: typeof import("../../client/auth-client.ts") = await import(path);
  const tokens = createStore();
  const auth = createAuthClient({ baseUrl, tokens });
  await auth.login(credentials);
  expect((await auth.fetch("/movies")).status).toBe(200);
  const bearer = `Bearer ${tokens.load()?.token}`;
  expect(seen.api).toEqual([undefined, bearer]);
  const url = `${stranger}/movies`;
  for (const input of [url, new Request(url), new URL(url), "/leave"])
    expect((await auth.fetch(input)).status).toBe(401);
  expect(seen.stranger).toEqual(Array(4).fill(undefined));
  const moved = createAuthClient({ baseUrl: `${baseUrl}/leave`, tokens });
  for (const act of [() => moved.login(credentials), moved.me, moved.sessions])
    await expect(act()).rejects.toMatchObject({ code: "network_error" });
  expect(seen.stranger?.length).toBe(4);
  const trusting = createAuthClient({ baseUrl, tokens, origins: [stranger] });
  await trusting.fetch(url, { headers: { "x-test": "1" } });
  expect(seen.stranger?.at(-1)).toBe(bearer);
});
