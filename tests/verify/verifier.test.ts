import { describe, expect, test } from "@jest/globals";
import type { OurJwk } from "../../lib/tokens/keys.ts";
import { createVerifier, requireRole, type VerifierOptions } from "../../verify/index.ts";
import { clock } from "../support/clock.ts";
import { createForgery } from "../support/forgery.ts";
import { createKey, keySettings } from "../support/keys.ts";
import { cookieOf } from "../support/pair.ts";
import { startService } from "../support/service.ts";

const service = await startService();
const { pair, withHeader, withClaims } = await createForgery(service);
const { ISSUER: issuer = "", AUDIENCE: audience = "" } = service.environment;
const host = "orders.example.com";
const cookie = pair.cookies[0] ?? "";
const authorization = `Bearer ${pair.token}`;

/** A verifier that asks the real function for the key set; `asked` counts. */
function createOurs(options: Partial<VerifierOptions> = {}) {
  const ours = { asked: 0, sandbox: service.sandbox, isAway: false };
  const fetch = async (url: string) => {
    expect(url).toBe(`${issuer}/.well-known/jwks.json`);
    ours.asked++;
    const { statusCode, body } = await ours.sandbox.jwks();
    return new Response(body ?? null, { status: ours.isAway ? 503 : statusCode });
  };
  const settings = { issuer, audience, clientId: "web", cookieName: "auth-cookie", fetch };
  return Object.assign(ours, createVerifier({ ...settings, ...options }));
}

describe("whoever calls is found", () => {
  test.each([
    ["by the cookie", { headers: { host, cookie: `a=b; ${cookie}` } }],
    ["by the header", { headers: { Authorization: authorization } }],
    ["by the headers of the Fetch standard", { headers: new Headers({ authorization }) }],
    [
      "when a page of this host changes something",
      { method: "POST", headers: { host, cookie, origin: `https://${host}` } },
    ],
    [
      "when a page of a listed origin does",
      { method: "POST", headers: { cookie, origin: "https://app.example.com" } },
    ],
  ])("%s", async (_name, request) => {
    const verifier = createOurs({ allowedOrigins: ["https://app.example.com"] });
    expect(await verifier.findCaller({ method: "GET", ...request })).toEqual(pair.claims);
  });

  test("by an event of an HTTP API, which has its cookies apart", async () => {
    const event = { cookies: [cookie], headers: {}, requestContext: { http: { method: "GET" } } };
    expect(await createOurs().findCallerOfEvent(event)).toEqual(pair.claims);
  });

  test("of every client with null, which must be typed out", async () => {
    const token = withClaims({ client_id: "other" });
    expect(await createOurs({ clientId: null }).verifyToken(token)).toMatchObject({ client_id: "other" });
    expect(() => createOurs({ clientId: undefined as never })).toThrow("name the audience");
  });
});

describe("it refuses", () => {
  test.each([
    ["nobody", {}, "missing_credentials"],
    [
      "another cookie",
      { cookie: cookieOf({ token: pair.token, refreshToken: "x" }, "other") },
      "missing_credentials",
    ],
    ["both kinds of credentials", { cookie, authorization }, "conflicting_credentials"],
    ["half a header", { authorization: "Bearer" }, "invalid_token"],
    ["a page of another site", { cookie, "sec-fetch-site": "same-site" }, "cross_site_request"],
    ["a page of another origin", { cookie, host, origin: "https://example.com" }, "cross_site_request"],
  ])("%s", async (_name, headers, code) => {
    const method = "sec-fetch-site" in headers || "origin" in headers ? "DELETE" : "GET";
    await expect(createOurs().findCaller({ method, headers })).rejects.toMatchObject({ code });
  });

  test.each<[token: string, reason: string]>([
    [withHeader({ typ: "JWT" }), "claim refused"],
    [withHeader({ alg: "RS256" }), "unknown key"],
    [withHeader({ kid: "nobody's" }), "unknown key"],
    [withClaims({ iss: `${issuer}/` }), "wrong issuer"],
    [withClaims({ aud: "web" }), "wrong audience"],
    [withClaims({ client_id: "other" }), "wrong client"],
    [withClaims({ iat: pair.claims.iat - 86_500 }), "lives too long"],
    [withClaims({ exp: pair.claims.iat - 6, iat: pair.claims.iat - 900 }), "expired"],
    [`${pair.token.slice(0, -8)}AAAAAAAA`, "wrong signature"],
    ["a.b", "not a compact JWS"],
  ])("what is not ours: %#", async (token, reason) => {
    await expect(createOurs().verifyToken(token)).rejects.toMatchObject({ code: "invalid_token", reason });
  });

  test.each(["http://auth.example.com", "https://auth.example.com/", "auth"])("the issuer %s", (wrong) => {
    expect(() => createOurs({ issuer: wrong })).toThrow(TypeError);
  });
});

test("a role is asked for as the functions do", () => {
  requireRole({ ...pair.claims, roles: ["admin"] }, "admin");
  expect(() => requireRole(pair.claims, "admin")).toThrow(expect.objectContaining({ code: "forbidden" }));
});

describe("the key set", () => {
  test("is asked for once, again for an unknown key id, and not within 30 s of that", async () => {
    const ours = createOurs();
    await Promise.all([ours.verifyToken(pair.token), ours.verifyToken(pair.token)]);
    expect(ours.asked).toBe(1);
    const other = createKey("ES256");
    ours.sandbox = service.createSandbox(keySettings(other));
    const next = await service.logIn({ as: ours.sandbox });
    await expect(ours.verifyToken(next.token)).rejects.toMatchObject({ reason: "unknown key" });
    clock.advance(30);
    expect(await ours.verifyToken(next.token)).toEqual(next.claims);
    expect(ours.asked).toBe(2);
  });

  test("that is away changes nothing for an hour, then it is a 503", async () => {
    const ours = createOurs();
    const verifyFresh = async () => ours.verifyToken((await service.logIn()).token);
    await verifyFresh();
    ours.isAway = true;
    clock.advance(4_199);
    await verifyFresh();
    clock.advance(5);
    await expect(verifyFresh()).rejects.toMatchObject({ code: "unavailable" });
    await expect(
      createOurs({ fetch: () => Promise.reject(new TypeError("no network")) }).verifyToken(pair.token),
    ).rejects.toMatchObject({ code: "unavailable" });
  });

  test("may hold keys of kinds that are not known here; one without a key of ours is a 503", async () => {
    const { token, claims } = await service.logIn();
    const { keys } = JSON.parse((await service.sandbox.jwks()).body ?? "") as { keys: OurJwk[] };
    const ofTomorrow = { kty: "AKP", alg: "ML-DSA-44", kid: "tomorrow", pub: "AAAA" };
    const answer = (set: object[]) => async () => Response.json({ keys: set });
    const verify = (set: object[]) => createOurs({ fetch: answer(set) }).verifyToken(token);
    expect(await verify([ofTomorrow, ...keys])).toEqual(claims);
    await expect(verify([ofTomorrow])).rejects.toMatchObject({ code: "unavailable" });
  });
});
