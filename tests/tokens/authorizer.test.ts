import { describe, expect, test } from "@jest/globals";
import { clock } from "../support/clock.ts";
import { createForgery } from "../support/forgery.ts";
import { createKey, keySettings } from "../support/keys.ts";
import { log } from "../support/log.ts";
import { cookieOf } from "../support/pair.ts";
import { createContext, loadHandler } from "../support/sandbox.ts";
import { signingKey, startService } from "../support/service.ts";

const service = await startService();
const { withClaims } = await createForgery(service);
/** No table and no private key. */
const environment = Object.fromEntries(
  Object.entries(service.environment).filter(([name]) => !/_TABLE$|^JWT_SIGNING_KEYS$/.test(name)),
);
const authorize = await load(environment);
const refused = { isAuthorized: false };
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

/** An instance of the authorizer, called with an event (payload format 2.0). It answers no HTTP response. */
async function load(settings: Record<string, string>) {
  const handler = await loadHandler("authorizer", settings);
  const frame = { version: "2.0", type: "REQUEST", routeKey: "GET /report", rawPath: "/report" };
  return (event: object = {}): Promise<unknown> => handler({ ...frame, ...event }, createContext());
}

test("the authorizer lets a JWT pass until it expires, with the claims as context, and asks nobody", async () => {
  const account = await service.addAccount();
  await service.database.change("users", { userId: account.userId }, { roles: ["admin", "auditor"] });
  const { cookies, token, claims } = await service.logIn({ account });
  expect(claims.roles).toEqual(["admin", "auditor"]);
  await service.sandbox.logout({ cookies });
  const raw = [{ Cookie: `a=b; ${cookies[0]}` }, { Authorization: `bearer ${token}` }];
  const staging = { cookies, headers: { authorization: "Basic dXNlcjpwYXNz" } };
  await service.expectRequests([], async () => {
    for (const request of [{ cookies }, bearer(token), staging, ...raw.map((headers) => ({ headers }))])
      expect(await authorize(request)).toEqual({ isAuthorized: true, context: claims });
    clock.advance(904);
    expect(await authorize({ cookies })).toMatchObject({ isAuthorized: true });
    clock.advance(1);
    expect(await authorize({ cookies })).toEqual(refused);
  });
});

test("J58 the authorizer takes the tokens of other clients, and says whose they are", async () => {
  const claims = { client_id: "another", iat: clock.now, exp: clock.now + 900 };
  const context = expect.objectContaining(claims);
  expect(await authorize(bearer(withClaims(claims)))).toEqual({ isAuthorized: true, context });
});

describe("the authorizer refuses", () => {
  test("no credentials, two kinds, malformed ones, a refresh token, and a forged token", async () => {
    const { cookies, token, refreshToken } = await service.logIn();
    const [header, , signature] = token.split(".");
    const [, forged] = withClaims({ roles: ["admin"] }).split(".");
    for (const event of [
      ...[{}, { headers: {}, cookies: [] }, { cookies, ...bearer(token) }, { cookies: ["auth-cookie=x"] }],
      ...[{ cookies: [cookieOf({ token })] }, { headers: { authorization: token } }, bearer(refreshToken)],
      ...[{ identitySource: [`Bearer ${token}`] }, { queryStringParameters: { token } }],
      ...[bearer(`${header}.${forged}.${signature}`), { headers: { authorization: `Basic ${token}` } }],
    ]) {
      expect(await authorize(event)).toEqual(refused);
    }
  });

  test("tokens of another key, issuer or audience, and of sessions that the operator has ended", async () => {
    const { token } = await service.logIn();
    expect(await authorize(bearer(token))).toMatchObject({ isAuthorized: true });
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
});

test("each call of the authorizer is one line that says who was let pass, or why nobody was", async () => {
  const { token, cookies, claims } = await service.logIn();
  log.clear();
  await authorize({ cookies });
  await authorize();
  await authorize(bearer(`${token.slice(0, -4)}AAAA`));
  await authorize({ cookies, ...bearer(token) });
  clock.advance(905);
  await authorize({ cookies });
  const [requestId, durationMs] = [expect.any(String), expect.any(Number)];
  const line = { route: "GET /report", stage: "test", requestId, durationMs };
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

test("the authorizer says so when it has no public keys", async () => {
  await expect(load({ ...environment, JWT_PUBLIC_KEYS: "" })).rejects.toThrow("JWT_PUBLIC_KEYS is missing");
});
