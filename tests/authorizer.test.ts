import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { clock } from "./support/clock.ts";
import { createKey, keySettings } from "./support/keys.ts";
import { log } from "./support/log.ts";
import { cookieOf } from "./support/pair.ts";
import { createContext, loadHandler } from "./support/sandbox.ts";
import { signingKey, startService } from "./support/service.ts";

const service = await startService();
const { database } = service;
const {
  USERS_TABLE: _,
  SESSIONS_TABLE: __,
  ATTEMPTS_TABLE: ___,
  JWT_SIGNING_KEYS,
  ...environment
} = service.environment;
const authorize = await load(environment);
const refused = { isAuthorized: false };

/** What the gateway hands an authorizer (payload format 2.0) beside headers and cookies. */
const frame = {
  version: "2.0",
  type: "REQUEST",
  routeArn: "arn:aws:execute-api:eu-central-1:123456789012:abcdefghij/$default/GET/report",
  identitySource: [],
  routeKey: "GET /report",
  rawPath: "/report",
  rawQueryString: "",
  requestContext: { http: { method: "GET", path: "/report", sourceIp: "192.0.2.7" } },
};

/** An instance of the authorizer, called with an event. It answers no HTTP response. */
async function load(settings: Record<string, string>) {
  const handler = (await loadHandler("authorizer", settings)) as unknown as (
    event: unknown,
    context: unknown,
  ) => Promise<unknown>;
  return (event: object = {}) => handler({ ...frame, ...event }, createContext());
}

describe("the authorizer lets pass, with the claims as context and without a request", () => {
  test.each([
    ["the cookie", ({ cookies }: Credentials) => ({ cookies })],
    ["a raw Cookie header", ({ cookies }: Credentials) => ({ headers: { Cookie: `a=b; ${cookies[0]}` } })],
    ["Bearer", ({ token }: Credentials) => ({ headers: { authorization: `Bearer ${token}` } })],
    ["Bearer in raw case", ({ token }: Credentials) => ({ headers: { Authorization: `bearer ${token}` } })],
  ])("%s", async (_, present) => {
    const account = await service.register();
    await database.change("users", { email: account.email }, { roles: ["admin", "auditor"] });
    const pair = await service.logIn({ account });
    expect(pair.claims.roles).toEqual(["admin", "auditor"]);
    await service.expectRequests([], async () => {
      expect(await authorize(present(pair))).toEqual({ isAuthorized: true, context: pair.claims });
    });
  });

  test("a JWT until it expires, whatever became of its session", async () => {
    const pair = await service.logIn();
    await service.sandbox.logout({ cookies: pair.cookies });
    clock.advance(904);
    expect(await authorize({ cookies: pair.cookies })).toMatchObject({ isAuthorized: true });
    clock.advance(1);
    expect(await authorize({ cookies: pair.cookies })).toEqual(refused);
  });
});

interface Credentials {
  cookies: string[];
  token: string;
}

describe("the authorizer refuses", () => {
  test("no credentials, two kinds, malformed ones, and a refresh token", async () => {
    const { cookies, token, refreshToken } = await service.logIn();
    for (const event of [
      {},
      { headers: {}, cookies: [] },
      { cookies, headers: { authorization: `Bearer ${token}` } },
      { cookies: [cookieOf({ token })] },
      { cookies: ["auth-cookie=x"] },
      { headers: { authorization: token } },
      { headers: { authorization: `Basic ${token}` } },
      { headers: { authorization: `Bearer ${refreshToken}` } },
      { identitySource: [`Bearer ${token}`] },
      { queryStringParameters: { token } },
    ]) {
      expect(await authorize(event)).toEqual(refused);
    }
  });

  test("forged tokens, and those of another key, issuer or audience", async () => {
    const { token } = await service.logIn();
    const [header, claims = "", signature] = token.split(".");
    const admin = { ...JSON.parse(Buffer.from(claims, "base64url").toString()), roles: ["admin"] };
    const forged = Buffer.from(JSON.stringify(admin)).toString("base64url");
    const bearer = (text: string) => ({ headers: { authorization: `Bearer ${text}` } });
    expect(await authorize(bearer(token))).toMatchObject({ isAuthorized: true });
    expect(await authorize(bearer(`${header}.${forged}.${signature}`))).toEqual(refused);
    expect(await authorize(bearer(`${header}.${claims}.`))).toEqual(refused);
    for (const settings of [
      { ISSUER: "https://elsewhere.example" },
      { AUDIENCE: "another-api" },
      { SESSIONS_NOT_BEFORE: String(clock.now + 1) },
      { JWT_PUBLIC_KEYS: keySettings({ ...createKey("EdDSA"), kid: signingKey.kid }).JWT_PUBLIC_KEYS },
    ]) {
      const other = await load({ ...environment, ...settings });
      expect(await other(bearer(token))).toEqual(refused);
    }
  });

  test("whatever else it is invoked with, and never throws", async () => {
    const handler = await loadHandler("authorizer", environment);
    const event = fc.oneof(
      fc.anything(),
      fc.record(
        {
          headers: fc.oneof(
            fc.dictionary(fc.constantFrom("cookie", "Cookie", "authorization", "Authorization"), fc.string()),
            fc.anything(),
          ),
          cookies: fc.oneof(
            fc.array(
              fc.oneof(
                fc.string(),
                fc.string().map((text) => `auth-cookie=${text}`),
                fc.anything(),
              ),
            ),
            fc.anything(),
          ),
        },
        { requiredKeys: [] },
      ),
    );
    await fc.assert(
      fc.asyncProperty(event, async (input) => {
        expect(await handler(input, createContext())).toEqual(refused);
      }),
    );
  });
});

test("each call of the authorizer is one line that says who was let pass, or why nobody was", async () => {
  const { token, cookies, claims } = await service.logIn();
  log.clear();
  await authorize({ cookies });
  await authorize();
  await authorize({ headers: { authorization: `Bearer ${token.slice(0, -4)}AAAA` } });
  await authorize({ cookies, headers: { authorization: `Bearer ${token}` } });
  clock.advance(905);
  await authorize({ cookies });
  const line = {
    route: "GET /report",
    stage: "test",
    requestId: expect.any(String),
    durationMs: expect.any(Number),
  };
  const refusal = { ...line, level: "WARN", status: 403 };
  expect(log.entries()).toMatchObject([
    { ...line, level: "INFO", status: 200, userId: claims.sub },
    { ...refusal, event: "authz_fail", code: "missing_credentials" },
    { ...refusal, event: "authn_token_invalid", code: "invalid_token", reason: "wrong signature" },
    { ...refusal, event: "input_validation_fail", code: "conflicting_credentials" },
    { ...refusal, event: "authn_token_invalid", code: "invalid_token", reason: "expired" },
  ]);
});

test("a mistake of ours in the authorizer lets nobody pass, and the gateway and the log say so", async () => {
  const { cookies } = await service.logIn();
  const { now } = Date;
  Date.now = () => {
    Date.now = now;
    throw new Error("the clock is broken");
  };
  log.clear();
  await expect(authorize({ cookies })).rejects.toThrow("the clock is broken");
  const line = { level: "ERROR", status: 500, event: "failure", code: "internal_error" };
  expect(log.entries()).toMatchObject([{ ...line, errors: [{ message: "the clock is broken" }] }]);
});

test("the authorizer starts without private keys and tables, and says so when it has no public keys", async () => {
  expect(JWT_SIGNING_KEYS).toBeDefined();
  expect(Object.keys(environment)).not.toContain("JWT_SIGNING_KEYS");
  await expect(load({ ...environment, JWT_PUBLIC_KEYS: "" })).rejects.toThrow("JWT_PUBLIC_KEYS is missing");
});
