import { createServer } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createVerifier } from "serverless-auth-verify";
import type { Pair } from "../support/pair.ts";
import { startService } from "../support/service.ts";
import { type App, apps, listen } from "./apps.ts";
import { startNext } from "./next-app.ts";

// The service's own functions issue the tokens and answer with the key set; the applications are real servers.
const service = await startService();
let jwks: App;
let issuer: string;
let user: Pair;
let admin: Pair;
let runs = 0;

beforeAll(async () => {
  const server = createServer(async (_, response) => {
    const { statusCode, headers, body } = await service.sandbox.jwks();
    response.writeHead(statusCode, headers).end(body);
  });
  jwks = await listen(server);
  issuer = jwks.url.replace("127.0.0.1", "localhost"); // passkeys belong to no address
  const as = service.createSandbox({ ISSUER: issuer });
  user = await service.logIn({ as });
  const account = await service.register();
  await service.database.change("users", { userId: account.userId }, { roles: ["admin"] });
  admin = await service.logIn({ account, as });
});
afterAll(() => jwks.stop());

const verifierOf = () =>
  createVerifier({ issuer, audience: "api", clientId: "web", cookieName: "auth-cookie" });
const starts: Record<string, () => Promise<App>> = {
  ...Object.fromEntries(
    Object.entries(apps).map(([name, start]) => [name, () => start(verifierOf(), () => runs++)]),
  ),
  "next 16": () => startNext(issuer),
};

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const from = (site: string) => ({ cookie: user.cookies[0] ?? "", "sec-fetch-site": site });

describe.each(Object.keys(starts))("in %s", (name) => {
  let app: App;
  beforeAll(async () => {
    app = await (starts[name] as () => Promise<App>)();
  });
  afterAll(() => app.stop());

  if (name === "next 16") {
    test("a page is rendered for whoever is logged in, and for whoever is not", async () => {
      const page = async (headers: HeadersInit) => (await fetch(app.url, { headers })).text();
      expect(await page({ cookie: `${user.cookies[0]}` })).toContain(user.claims.email);
      expect(await page({})).toContain("Log in first.");
    });
  }

  test.each<
    [title: string, request: string, headers: () => HeadersInit, expected: [status: number, code?: string]]
  >([
    ["the cookie lets in", "GET /orders", () => ({ cookie: `a=b; ${user.cookies[0]}` }), [200]],
    ["the header lets in", "POST /orders", () => bearer(user.token), [200]],
    ["a page of its own may change something", "POST /orders", () => from("same-origin"), [200]],
    ["an administrator gets the report", "GET /report", () => bearer(admin.token), [200]],
    ["nobody gets nothing", "GET /orders", () => ({}), [401, "missing_credentials"]],
    ["nobody gets no report", "GET /report", () => ({}), [401, "missing_credentials"]],
    [
      "a refresh token lets nobody in",
      "GET /orders",
      () => bearer(user.refreshToken),
      [401, "invalid_token"],
    ],
    [
      "both kinds are refused",
      "GET /orders",
      () => ({ ...from("none"), ...bearer(user.token) }),
      [400, "conflicting_credentials"],
    ],
    ["a user gets no report", "GET /report", () => bearer(user.token), [403, "forbidden"]],
    [
      "another site's page changes nothing",
      "POST /orders",
      () => from("cross-site"),
      [403, "cross_site_request"],
    ],
  ])("%s", async (_title, request, headers, [status, code]) => {
    const before = runs;
    const [method = "", path = ""] = request.split(" ");
    const response = await fetch(app.url + path, { method, headers: headers() });
    const body = (await response.json()) as { email?: string; code?: string };
    expect([response.status, body.code]).toEqual([status, code]);
    if (name !== "next 16") expect(runs - before).toBe(code ? 0 : 1);
    if (!code) return expect(body.email).toBe((path === "/report" ? admin : user).claims.email);
    expect(response.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
    expect(response.headers.get("www-authenticate")?.startsWith("Bearer")).toBe(
      status === 401 ? true : undefined,
    );
    expect(response.headers.get("strict-transport-security")).toBe(null);
  });
});

describe("where the key set is away", () => {
  test.each(Object.entries(apps))("%s answers 503", async (_name, start) => {
    const away = createVerifier({ issuer: "http://127.0.0.1:9", audience: "api", clientId: null });
    const app = await start(away, () => runs++);
    const response = await fetch(`${app.url}/orders`, { headers: { authorization: `Bearer ${user.token}` } });
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
    await app.stop();
  });
});
