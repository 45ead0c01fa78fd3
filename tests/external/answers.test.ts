import { expect, test } from "@jest/globals";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { expectProblem } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { createSignIns } from "../support/external.ts";
import { log } from "../support/log.ts";
import { type Answer, type Claims, startOddProvider } from "../support/odd-provider.ts";
import { startService } from "../support/service.ts";

// What a provider may answer, well or badly: each answer is a sign-in, a refusal, or a 503, and never a session of somebody else.

const service = await startService();
const odd = await startOddProvider();
const clientSecret = "a-client-secret-of-the-odd-provider";
const entry = { id: "odd", clientId: "web", redirectUris: ["https://app.example.com/odd"], ...odd.endpoints };
const settings = {
  IDENTITY_PROVIDERS: JSON.stringify([entry]),
  PROVIDER_KEYS: JSON.stringify({ odd: { clientSecret } }),
};
const sandbox = service.createSandbox(settings);
const { begin, finish } = createSignIns(sandbox, "odd");

const expected = {
  in: undefined,
  refused: { status: 400, code: "sign_in_refused", detail: "The sign-in was refused. Begin again." },
  away: {
    ...{ status: 503, code: "provider_unavailable", headers: { "retry-after": "2" } },
    detail: "The provider does not answer. Try again in a moment.",
  },
};
type Outcome = keyof typeof expected;

const someone: Claims = { sub: "someone", email: "someone@example.com", email_verified: true };

async function expectOutcome(outcome: Outcome, toAnswer: (nonce: string) => Promise<Answer> | Answer) {
  const begun = await begin();
  odd.answer("/token", await toAnswer(begun.nonce));
  const response = await finish(begun, { code: "a code" });
  const problem = expected[outcome];
  if (problem) expectProblem(response, problem);
  else expect([response.statusCode, response.body]).toEqual([200, '{"msg":"success"}']);
}

const json = (body: unknown, status = 200): Answer => ({ status, body });

test.each<[string, Outcome, Answer]>([
  ["200 with an error, as GitHub does", "refused", json({ error: "bad_verification_code" })],
  ["400 invalid_grant", "refused", json({ error: "invalid_grant", error_description: "x" }, 400)],
  ["400 without an error", "refused", json({}, 400)],
  ["401 invalid_client: it is ours to mend", "away", json({ error: "invalid_client" }, 401)],
  ["400 unauthorized_client", "away", json({ error: "unauthorized_client" }, 400)],
  ["200 redirect_uri_mismatch", "away", json({ error: "redirect_uri_mismatch" })],
  ["a form", "away", { body: "access_token=x&token_type=bearer", type: "application/x-www-form-urlencoded" }],
  ["HTML", "away", { body: "<html></html>", type: "text/html" }],
  ["null", "away", json(null)],
  ["a text", "away", json('"text"')],
  ["a list", "refused", json([1])],
  ["500", "away", json({}, 500)],
  ["503", "away", json({}, 503)],
  ["429", "away", json({}, 429)],
  ["no access token and no ID token", "refused", json({ token_type: "bearer" })],
  ["no ID token", "refused", json({ access_token: "x", token_type: "bearer" })],
  ["an ID token that is none", "refused", json({ access_token: "x", token_type: "bearer", id_token: "x" })],
  [
    "an ID token of five parts",
    "refused",
    json({ access_token: "x", token_type: "bearer", id_token: "a.b.c.d.e" }),
  ],
  ["1 MB", "away", { body: "x".repeat(1_000_000) }],
  ["a cut connection", "away", (request) => request.socket.destroy()],
  [
    "half an answer",
    "away",
    (_, response) => {
      response.writeHead(200, { "content-length": "100" }).write("{");
      response.socket?.end();
    },
  ],
])("X17 the token endpoint answers %s: %s", async (_, outcome, answer) => {
  await expectOutcome(outcome, () => answer);
});

test.each([undefined, "mac", 7])(
  "X17 a sound ID token beside the token type %j: refused",
  async (token_type) => {
    await expectOutcome("refused", async (nonce) =>
      json({ ...(await odd.tokens(odd.claims(nonce, someone))), token_type }),
    );
  },
);

test.each([301, 302, 303, 307, 308])(
  "X18 a redirect (%i) is followed nowhere: the client secret stays",
  async (status) => {
    const headers = { location: `${odd.issuer}/elsewhere` };
    await expectOutcome("away", () => ({ status, body: {}, headers }));
    expect(odd.paths).not.toContain("/elsewhere");
  },
);

test("X18 an answer that never comes is given up", async () => {
  const impatient = service.createSandbox({ ...settings, PROVIDER_TIMEOUT_MS: "200" });
  const { begin, finish } = createSignIns(impatient, "odd");
  odd.answer("/token", () => undefined);
  expectProblem(await finish(await begin(), { code: "a code" }), expected.away);
});

const hour = 3_600;
test.each<[string, Outcome, (now: number) => Claims, string[]?]>([
  ["as it should be", "in", () => ({})],
  ["of the issuer without its scheme", "refused", () => ({ iss: odd.issuer.replace("http://", "") })],
  ["of the issuer with a slash", "refused", () => ({ iss: `${odd.issuer}/` })],
  ["of another issuer", "refused", () => ({ iss: "https://login.microsoftonline.com/other/v2.0" })],
  ["for another audience", "refused", () => ({ aud: "other" })],
  ["for several, and no azp", "refused", () => ({ aud: ["web", "other"] })],
  ["for several, and another's azp", "refused", () => ({ aud: ["web", "other"], azp: "other" })],
  ["for several, and our azp", "in", () => ({ aud: ["web", "other"], azp: "web" })],
  ["for us, and another's azp", "refused", () => ({ azp: "other" })],
  ["for us, and our azp in a list", "refused", () => ({ azp: ["web"] })],
  ["of another sign-in", "refused", () => ({ nonce: "another nonce" })],
  ["without a nonce", "refused", () => ({ nonce: undefined })],
  ["expired 59 s ago", "in", (now) => ({ exp: now - 59 })],
  ["expired 61 s ago", "refused", (now) => ({ exp: now - 61 })],
  ["that counts in 61 s", "refused", (now) => ({ nbf: now + 61 })],
  ["issued in 60 s", "in", (now) => ({ iat: now + 60 })],
  ["issued in 61 s", "refused", (now) => ({ iat: now + 61 })],
  ["issued in an hour", "refused", (now) => ({ iat: now + hour })],
  ["issued a week ago", "in", (now) => ({ iat: now - 168 * hour })],
  ["without iat", "refused", () => ({ iat: undefined })],
  ["without exp", "refused", () => ({ exp: undefined })],
  ["with exp as a text", "refused", () => ({ exp: "4000000000" })],
  ["without sub", "refused", () => ({ sub: undefined })],
  ["with a number as sub", "refused", () => ({ sub: 7 })],
  ["with an empty sub", "refused", () => ({ sub: "" })],
  ["with a sub of 256 characters", "refused", () => ({ sub: "x".repeat(256) })],
  ["with a control character in sub", "refused", () => ({ sub: "some\u0000one" })],
])("X19 an ID token %s: %s", async (_, outcome, toClaims) => {
  await expectOutcome(outcome, async (nonce) =>
    json(await odd.tokens(odd.claims(nonce, { ...someone, ...toClaims(clock.now) }))),
  );
});

const withIdToken = (id_token: string): Answer => json({ access_token: "x", token_type: "bearer", id_token });
const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

test.each<[string, (claims: Claims) => Promise<string>]>([
  ["nobody", async (claims) => `${base64url({ alg: "none" })}.${base64url(claims)}.`],
  [
    "us, with the client secret",
    (claims) =>
      new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(clientSecret)),
  ],
  ["an algorithm that is not listed", async (claims) => sign(claims, "ES256")],
  ["another key with the kid", async (claims) => sign(claims, "RS256")],
  ["a key of no kid that there is", async (claims) => odd.sign(claims, { kid: "key-2" })],
  ["its key, and the signature is cut", async (claims) => (await odd.sign(claims)).slice(0, -8)],
  ["its key, with crit", async (claims) => odd.sign(claims, { crit: ["b64"], b64: true })],
])("X20 an ID token signed by %s: refused", async (_, toToken) => {
  await expectOutcome("refused", async (nonce) => withIdToken(await toToken(odd.claims(nonce, someone))));
});

async function sign(claims: Claims, alg: string): Promise<string> {
  const { privateKey } = await generateKeyPair(alg);
  return new SignJWT(claims).setProtectedHeader({ alg, kid: "key-1" }).sign(privateKey);
}

test.each<[string, Answer, Outcome]>([
  ["empty", json({ keys: [] }), "refused"],
  ["500", json({}, 500), "away"],
  ["HTML", { body: "<html>", type: "text/html" }, "away"],
  ["an object without keys", json({}), "refused"],
])("X21 a key set that is %s: %s", async (_, keys, outcome) => {
  // Kept for five minutes.
  clock.advance(301);
  odd.answer("/jwks", keys);
  await expectOutcome(outcome, async (nonce) => json(await odd.tokens(odd.claims(nonce, someone))));
});

test("X21 a provider changes its keys while a sandbox lives: the next sign-in goes through", async () => {
  const { privateKey, publicKey } = await generateKeyPair("RS256");
  await expectOutcome("in", async (nonce) => json(await odd.tokens(odd.claims(nonce, someone))));
  odd.answer(
    "/jwks",
    json({ keys: [odd.jwk, { ...(await exportJWK(publicKey)), kid: "key-2", alg: "RS256" }] }),
  );
  clock.advance(61);
  await expectOutcome("in", async (nonce) =>
    withIdToken(await odd.sign(odd.claims(nonce, someone), { kid: "key-2" }, privateKey)),
  );
});

test("X22 the secret goes to the token endpoint alone, in the body, and into no log; what a provider says is in none", async () => {
  const begun = await begin();
  odd.answer("/token", json({ error: "invalid_grant", error_description: "tell-tale" }, 400));
  await finish(begun, { code: "a code" });
  const [form] = odd.forms;
  expect(Object.fromEntries(form ?? [])).toEqual({
    ...{ grant_type: "authorization_code", code: "a code", redirect_uri: entry.redirectUris[0] },
    ...{ client_id: "web", client_secret: clientSecret, code_verifier: expect.stringMatching(/^[\w-]{43}$/) },
  });
  expect(JSON.stringify(log.entries())).not.toMatch(/tell-tale|a-client-secret/);
  expect(log.entries().at(-1)).toMatchObject({ code: "sign_in_refused", reason: "code refused" });
});

test("X22 a provider whose client secret is not there: 503, and nobody is asked", async () => {
  const without = service.createSandbox({
    IDENTITY_PROVIDERS: JSON.stringify([entry]),
    PROVIDER_KEYS: JSON.stringify({ google: { clientSecret } }),
  });
  const { begin, finish } = createSignIns(without, "odd");
  expectProblem(await finish(await begin(), { code: "a code" }), expected.away);
  expect(odd.paths).toEqual([]);
});
