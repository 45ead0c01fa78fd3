import { createPublicKey, generateKeyPairSync, randomUUID } from "node:crypto";
import { expect, test } from "@jest/globals";
import { decodeProtectedHeader, jwtVerify } from "jose";
import { bodyOf, expectProblem, invalidBody } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import type { ClientRequest } from "../support/event.ts";
import { createSignIns } from "../support/external.ts";
import { keepSecrets } from "../support/log.ts";
import { type Claims, startOddProvider } from "../support/odd-provider.ts";
import { pairOf } from "../support/pair.ts";
import { startProvider } from "../support/provider.ts";
import { startService } from "../support/service.ts";

// What Apple does in its own way: it returns by a form, wants a signed client secret, and says texts where others say true.

const service = await startService();
const { database, expectRequests } = service;
const formUri = (id: string) => `https://auth.example.com/auth/external/${id}/form`;
const page = "https://app.example.com/signed-in/apple?from=apple";
const odd = await startOddProvider();
const real = await startProvider(formUri("test"), {
  ada: { email: "ada@example.com", email_verified: true },
});
const { privateKey, publicKey } = generateKeyPairSync("ec", {
  ...{ namedCurve: "P-256", publicKeyEncoding: { type: "spki", format: "pem" } },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});
keepSecrets(...privateKey.split("\n").slice(1, -2));
const [teamId, keyId] = ["TEAM123456", "KEY1234567"];
const sandbox = service.createSandbox({
  IDENTITY_PROVIDERS: JSON.stringify([
    { id: "apple", clientId: "com.example.web", redirectUris: [formUri("apple")], page, ...odd.endpoints },
    { ...real.entry, responseMode: "form_post", page: "https://app.example.com/signed-in/test" },
    { id: "odd", clientId: "web", redirectUris: ["https://app.example.com/odd"], ...odd.endpoints },
  ]),
  PROVIDER_KEYS: JSON.stringify({ ...real.keys, apple: { teamId, keyId, privateKey } }),
});
const { begin, finish } = createSignIns(sandbox, "apple");

const form = "application/x-www-form-urlencoded";
const post = (provider: string, body: string, more: ClientRequest = {}) =>
  sandbox.formExternal({ pathParameters: { provider }, body, headers: { "content-type": form }, ...more });
const pageOf = ({ headers }: { headers: Record<string, string> }) => new URL(headers.location ?? "");

async function signIn(claims: Claims) {
  const begun = await begin();
  const told = odd.claims(begun.nonce, { sub: randomUUID(), aud: "com.example.web", ...claims });
  return finish(begun, { code: odd.createCode(told) });
}

test("X49 a real provider returns by a form: it goes on to the page, which ends the sign-in; the form reads no cookie and decides nothing", async () => {
  const signIns = createSignIns(sandbox, "test");
  const begun = await signIns.begin();
  expect(new URL(begun.authorizationUrl).searchParams.get("response_mode")).toBe("form_post");
  const fields = await real.signIn(begun.authorizationUrl, "ada");
  const headers = { "content-type": form, origin: real.issuer, "sec-fetch-site": "cross-site" };
  const body = new URLSearchParams(fields).toString();
  const victim = await service.logIn();
  const response = await expectRequests([], () => post("test", body, { headers, cookies: victim.cookies }));
  expect(response).toMatchObject({ statusCode: 303, headers: { "cache-control": "no-store" } });
  expect(response.cookies).toBeUndefined();
  const { code, iss, state } = Object.fromEntries(pageOf(response).searchParams);
  expect([pageOf(response).pathname, state, iss]).toEqual(["/signed-in/test", begun.state, real.issuer]);
  expect((await signIns.finish({ ...begun, state: String(state) }, { code, iss })).statusCode).toBe(200);
  await service.rotate(victim);
});

test("X49 a page that asks to be returned to is the one behind the form, and no other is", async () => {
  const { authorizationUrl } = await begin({ body: { redirectUri: page } });
  expect(new URL(authorizationUrl).searchParams.get("redirect_uri")).toBe(formUri("apple"));
  const pathParameters = { provider: "apple" };
  const other = { redirectUri: "https://app.example.com/signed-in/apple" };
  const detail = "must be one of the provider's in IDENTITY_PROVIDERS";
  expectProblem(
    await sandbox.beginExternal({ pathParameters, body: other }),
    invalidBody(["redirectUri", detail]),
  );
});

test.each<[string, string, ClientRequest, object]>([
  ["as it is", "code=c&state=s", {}, { code: "c", state: "s" }],
  [
    "in base64",
    Buffer.from("code=c&state=s").toString("base64"),
    { isBase64Encoded: true },
    { code: "c", state: "s" },
  ],
  ["with a charset", "code=c", { headers: { "content-type": `${form}; charset=UTF-8` } }, { code: "c" }],
  ["with the user's name", 'code=c&user={"name":"Ada"}&id_token=t', {}, { code: "c" }],
  [
    "with an error",
    "error=user_cancelled_authorize&state=s",
    {},
    { error: "user_cancelled_authorize", state: "s" },
  ],
  ["with two codes", "code=a&code=b&state=s", {}, { state: "s" }],
  ["with signs of URLs", "code=a%26b%23c%2Bd+e&state=s", {}, { code: "a&b#c+d e", state: "s" }],
  ["with control characters", "code=a%0d%0ab&state=%00", {}, {}],
  ["with a code of 4,097 characters", `code=${"c".repeat(4_097)}&state=s`, {}, { state: "s" }],
  ["with a code that fills a header", `code=${"%26".repeat(4_000)}&state=s`, {}, { state: "s" }],
  ["with nothing", "", {}, {}],
])("X50 a form %s: on to the page, with what that needs", async (_, body, more, expected) => {
  const response = await post("apple", body, more);
  expect(response.statusCode).toBe(303);
  expect(response.headers.location).toMatch(/^https:\/\/app\.example\.com\/signed-in\/apple\?from=apple/);
  expect(Object.fromEntries(pageOf(response).searchParams)).toEqual({ from: "apple", ...expected });
});

const refused = (status: number, code: string, detail: string) => ({ status, code, detail });
test.each<[string, string, string, ClientRequest, ReturnType<typeof refused>]>([
  [
    "JSON",
    "apple",
    '{"code":"c"}',
    { headers: { "content-type": "application/json" } },
    refused(415, "unsupported_media_type", `Send the body with content-type: ${form}.`),
  ],
  [
    "a compressed one",
    "apple",
    "code=c",
    { headers: { "content-type": form, "content-encoding": "gzip" } },
    refused(415, "unsupported_media_type", "Send the body without a content-encoding."),
  ],
  [
    "17 KB",
    "apple",
    `code=${"c".repeat(17_000)}`,
    {},
    refused(413, "body_too_large", "The body may have at most 16384 bytes."),
  ],
  [
    "one for a provider that redirects",
    "odd",
    "code=c",
    {},
    refused(404, "not_found", "There is no such provider, or it sends no form."),
  ],
  [
    "one for nobody",
    "toString",
    "code=c",
    {},
    refused(404, "not_found", "There is no such provider, or it sends no form."),
  ],
])("X50 a form that is refused: %s", async (_, provider, body, more, problem) => {
  expectProblem(await post(provider, body, more), problem);
});

test("X51 the client secret is a token of five minutes, signed by the team's key, and used for four", async () => {
  const claims = { email: "secret@example.com", email_verified: true, sub: "secret" };
  const secretOf = async () => {
    expect((await signIn(claims)).statusCode).toBe(200);
    return odd.forms.flatMap((sent) => sent.get("client_secret") ?? []).at(-1) ?? "";
  };
  const first = await secretOf();
  const { payload } = await jwtVerify(first, createPublicKey(publicKey), {
    currentDate: new Date(clock.now * 1_000),
  });
  expect(decodeProtectedHeader(first)).toEqual({ alg: "ES256", kid: keyId });
  expect(payload).toEqual({
    ...{ iss: teamId, sub: "com.example.web", aud: odd.issuer },
    ...{ iat: clock.now, exp: clock.now + 300 },
  });
  clock.advance(240);
  expect(await secretOf()).toBe(first);
  clock.advance(1);
  const { iat } = JSON.parse(Buffer.from((await secretOf()).split(".")[1] ?? "", "base64url").toString());
  expect(iat).toBe(clock.now);
});

test.each<[unknown, boolean]>([
  [true, true],
  ["true", true],
  [false, false],
  ["false", false],
  ["TRUE", false],
  [1, false],
  [undefined, false],
])("X52 Apple says %j of an address: it makes an account: %j", async (email_verified, isMade) => {
  const email = `${randomUUID().slice(0, 13)}@example.com`;
  const response = await signIn({ email, email_verified, is_private_email: "false" });
  expect([response.statusCode, isMade || bodyOf(response).code]).toEqual(
    isMade ? [200, true] : [403, "email_not_verified"],
  );
});

test.each([
  ["privaterelay.appleid.com", true],
  ["icloud.com", true],
  ["me.com", true],
  ["mac.com", true],
  ["example.com", false],
  ["not-icloud.com", false],
])("X52 Apple's word links an account with a proven address at %s: %j", async (domain, isLinked) => {
  const email = `${randomUUID().slice(0, 13)}@${domain}`;
  const { userId } = bodyOf(
    await sandbox.register({ body: { email, password: "a long and private sentence" } }),
  );
  await database.change("users", { userId }, { emailVerifiedAt: clock.now });
  const response = await signIn({ email, email_verified: "true", is_private_email: "true" });
  expect(response.statusCode).toBe(isLinked ? 200 : 409);
  if (isLinked) expect(pairOf(response).claims.sub).toBe(userId);
});

test("X53 Apple names its user once and sends the address or not: the same account, and no name is kept", async () => {
  const sub = randomUUID();
  const first = await signIn({ sub, email: "once@example.com", email_verified: "true" });
  const { sub: userId } = pairOf(first).claims;
  const later = pairOf(await signIn({ sub, name: "Ada Lovelace" }));
  expect(later.claims.sub).toBe(userId);
  expect(JSON.stringify(await database.find("users", { userId }))).not.toContain("Lovelace");
  const identities = bodyOf(await sandbox.listIdentities({ cookies: later.cookies }));
  expect(identities).toMatchObject({ identities: [{ provider: "apple" }], hasPassword: false });
});
