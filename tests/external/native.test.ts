import { createHash, randomUUID } from "node:crypto";
import { expect, test } from "@jest/globals";
import { generateKeyPair } from "jose";
import { bodyOf, expectProblem, invalidBody, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { type Begun, createSignIns } from "../support/external.ts";
import { log } from "../support/log.ts";
import { type Claims, startOddProvider } from "../support/odd-provider.ts";
import { pairOf } from "../support/pair.ts";
import { startService } from "../support/service.ts";

// An app asks the provider by an SDK, and hands over the ID token that it was given.

const service = await startService();
const odd = await startOddProvider();
const { jwksUri: _, ...withoutKeys } = odd.endpoints;
const at = (id: string, more: object) => ({
  ...{ id, clientId: "web", redirectUris: [`https://app.example.com/${id}`], ...more },
});
const sandbox = service.createSandbox({
  IDENTITY_PROVIDERS: JSON.stringify([
    at("odd", { ...odd.endpoints, nativeClientIds: ["ios", "android"], sendsIss: true }),
    at("coded", { ...odd.endpoints, nativeClientIds: ["ios"] }),
    at("github", { ...withoutKeys, apiUrl: `${odd.issuer}/api` }),
  ]),
  // For an ID token no client secret is needed.
  PROVIDER_KEYS: JSON.stringify({ coded: { clientSecret: "a-client-secret-of-coded" } }),
});
const { begin, finish } = createSignIns(sandbox, "odd");
const headers = { "auth-mode": "bearer" };
const refused = { status: 400, code: "sign_in_refused", detail: "The sign-in was refused. Begin again." };
const away = {
  ...{ status: 503, code: "provider_unavailable", headers: { "retry-after": "2" } },
  detail: "The provider does not answer. Try again in a moment.",
};

/** The body that ends a sign-in of a bearer client. */
const withFlow = ({ flow }: Begun, idToken: string) => ({ idToken, flow: String(flow) });

const someone = () => ({ sub: randomUUID(), email: `${randomUUID()}@example.com`, email_verified: true });
const sign = ({ nonce }: Begun, more: Claims = {}) =>
  odd.sign(odd.claims(nonce, { ...someone(), aud: "ios", ...more }));
const hash = (text: string, encoding: "hex" | "base64url") =>
  createHash("sha256").update(text).digest(encoding);

test.each<[string, boolean, (nonce: string) => unknown]>([
  ["as it is", true, (nonce) => nonce],
  ["hashed, in hex", true, (nonce) => hash(nonce, "hex")],
  ["hashed, in capital hex", false, (nonce) => hash(nonce, "hex").toUpperCase()],
  ["hashed, in base64url", false, (nonce) => hash(nonce, "base64url")],
  ["of another sign-in", false, () => "another nonce"],
  ["as a list", false, (nonce) => [nonce]],
  ["missing", false, () => undefined],
])("X54 an ID token with the nonce %s: it signs in: %j", async (_, isIn, toNonce) => {
  const begun = await begin({ headers });
  const token = await sign(begun, { nonce: toNonce(begun.nonce) });
  const response = await finish(begun, withFlow(begun, token), { headers });
  if (!isIn) return expectProblem(response, refused);
  expect(bodyOf(response)).toMatchObject({ msg: "success", token: expect.any(String) });
  // Nobody but the key set was asked, and that once.
  expect(odd.paths.filter((path) => path !== "/jwks")).toEqual([]);
});

test.each<[string, boolean, Claims]>([
  ["a listed app", true, { aud: "ios" }],
  ["the web client", true, { aud: "web" }],
  ["the web client, asked by a listed app", true, { aud: "web", azp: "android" }],
  ["several, with ours as azp", true, { aud: ["ios", "other"], azp: "ios" }],
  ["several, with a stranger's azp", false, { aud: ["ios", "other"], azp: "other" }],
  ["the web client, asked by a stranger's app", false, { aud: "web", azp: "other" }],
  ["a stranger's app", false, { aud: "other" }],
  ["nobody", false, { aud: undefined }],
])("X55 an ID token for %s: it signs in: %j", async (_, isIn, claims) => {
  const begun = await begin({ headers });
  const response = await finish(begun, withFlow(begun, await sign(begun, claims)), { headers });
  if (isIn) expect(response.statusCode).toBe(200);
  else expectProblem(response, refused);
});

test.each([
  ["web", true],
  ["ios", false],
])("X55 a code's ID token is for the web client alone: for %s it signs in: %j", async (aud, isIn) => {
  const signIns = createSignIns(sandbox, "coded");
  const begun = await signIns.begin();
  const code = odd.createCode(odd.claims(begun.nonce, { ...someone(), aud }));
  const response = await signIns.finish(begun, { code });
  if (isIn) expect(response.statusCode).toBe(200);
  else expectProblem(response, refused);
});

test("X56 the same ID token again, ten at once and ten later: one session, the same bytes; another flow opens nothing with it", async () => {
  const begun = await begin();
  const idToken = await sign(begun);
  const call = () => finish(begun, { idToken });
  const first = await Promise.all(Array.from({ length: 10 }, call));
  for (const each of first) if (each.statusCode !== 200) expectProblem(each, refusals.unavailable);
  const answers = await Promise.all(Array.from({ length: 10 }, call));
  const [done] = answers;
  for (const each of answers) expect([each.statusCode, each.cookies]).toEqual([200, done?.cookies]);
  const { claims } = pairOf(done as (typeof answers)[number]);
  expect(await service.database.sessionsOf(claims.sub)).toHaveLength(1);
  const thief = await begin();
  expectProblem(await finish(thief, { idToken }), refused);
});

test.each<[string, boolean, (now: number) => Claims]>([
  ["issued 60 s before the start", true, (now) => ({ iat: now - 60 })],
  ["issued 61 s before the start", false, (now) => ({ iat: now - 61 })],
  ["issued in 61 s", false, (now) => ({ iat: now + 61 })],
  ["expired 61 s ago", false, (now) => ({ exp: now - 61 })],
  ["of another issuer", false, () => ({ iss: "https://evil.example" })],
])("X57 an ID token %s: it signs in: %j", async (_, isIn, toClaims) => {
  const begun = await begin();
  const response = await finish(begun, { idToken: await sign(begun, toClaims(clock.now)) });
  if (isIn) expect(response.statusCode).toBe(200);
  else expectProblem(response, refused);
});

test("X57 what anybody else has signed is no ID token: neither with the key's name, nor an access token of ours", async () => {
  const { privateKey } = await generateKeyPair("RS256");
  const { token } = await service.logIn();
  for (const toToken of [
    async ({ nonce }: Begun) => odd.sign(odd.claims(nonce, { ...someone(), aud: "ios" }), {}, privateKey),
    async () => token,
    async () => "e30.e30.e30",
    async () => "x.x.x",
  ]) {
    const begun = await begin();
    expectProblem(await finish(begun, { idToken: await toToken(begun) }), refused);
    expect(log.entries().at(-1)).toMatchObject({ code: "sign_in_refused", reason: "ID token refused" });
  }
});

test("X57 the key set is away: 503, and the same ID token is good a moment later", async () => {
  clock.advance(301);
  const begun = await begin();
  const idToken = await sign(begun);
  odd.answer("/jwks", { status: 500, body: {} });
  expectProblem(await finish(begun, { idToken }), away);
  odd.answer("/jwks", { body: { keys: [odd.jwk] } });
  expect((await finish(begun, { idToken })).statusCode).toBe(200);
});

test("X58 an ID token and a code, one that is none or too long, and a provider that issues none", async () => {
  const begun = await begin();
  const idToken = await sign(begun);
  const notOne = invalidBody(["idToken", "must be an ID token, of at most 8192 characters"]);
  expectProblem(await finish(begun, { idToken, code: "c" }), invalidBody(["code", "is not known"]));
  expectProblem(await finish(begun, {}), invalidBody(["code", "is missing"]));
  for (const each of ["a.b", "a.b.c.d", "a.b c.d", `${"a".repeat(8_192)}.b.c`])
    expectProblem(await finish(begun, { idToken: each }), notOne);
  expectProblem(await finish(begun, { idToken, flow: "f" }), invalidBody(["flow", "is for bearer clients"]));
  const atGithub = createSignIns(sandbox, "github");
  const other = await atGithub.begin();
  expectProblem(await atGithub.finish(other, { idToken: await sign(other) }), refused);
  expect(odd.paths).toEqual([]);
});
