import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "@jest/globals";
import { readConfig } from "../config.ts";
import { identityProviders } from "../settings.ts";
import { parseProviders } from "./provider.ts";
import { parseProviderKeys } from "./provider-keys.ts";

const google = { id: "google", clientId: "web", redirectUris: ["https://app.example.com/google"] };
const apple = {
  ...{ id: "apple", clientId: "com.example.web", page: "https://app.example.com/apple" },
  redirectUris: ["https://auth.example.com/auth/external/apple/form"],
};
const endpoints = {
  issuer: "https://id.example.com",
  authorizationEndpoint: "https://id.example.com/auth",
  tokenEndpoint: "https://id.example.com/token",
  jwksUri: "https://id.example.com/jwks",
};
const own = { id: "own", clientId: "web", redirectUris: ["https://app.example.com/own"], ...endpoints };
const tenant = "0f0a3a0e-6f0a-4f0e-8f5c-3a7f3d1c2b4a";
const parse = (...entries: unknown[]) => parseProviders(JSON.stringify(entries));

test("a preset needs a client and a page; everything else can be said, too", () => {
  const [first, second, third] = parse(
    google,
    {
      ...google,
      id: "work",
      preset: "microsoft",
      tenant,
      redirectUris: ["https://app.example.com/work"],
      name: "Work",
    },
    own,
  );
  expect(first).toMatchObject({
    id: "google",
    preset: "google",
    name: "Google",
    issuer: "https://accounts.google.com",
  });
  expect(second).toMatchObject({ name: "Work", issuer: `https://login.microsoftonline.com/${tenant}/v2.0` });
  expect(third).toEqual({
    ...{ ...own, name: "own", preset: "oidc", scope: "openid email" },
    ...{ algorithms: ["RS256"], sendsIss: false, emailDomains: [], nativeClientIds: [] },
  });
});

const { issuer: _, ...withoutIssuer } = own;
test.each<[string, unknown[], string]>([
  ["no provider", [], "must be a JSON list of 1 to 8 providers"],
  ["nine", Array.from({ length: 9 }, (_, i) => ({ id: `p${i}` })), "must be a JSON list of 1 to 8 providers"],
  ["3 KB", [{ ...own, name: "x".repeat(3_000) }], "must have at most 2048 bytes"],
  [
    "two with one redirect URI",
    [google, { ...own, redirectUris: google.redirectUris }],
    "https://app.example.com/google stands there twice",
  ],
  [
    "two with one id",
    [own, { ...own, redirectUris: ["https://app.example.com/x"] }],
    "two providers have the id own",
  ],
  ["no issuer", [withoutIssuer], "provider 1: issuer is missing"],
  ["no tenant", [{ ...google, id: "microsoft" }], "provider 1: tenant is missing"],
  [
    "every tenant",
    [{ ...google, id: "microsoft", tenant: "common" }],
    "tenant must be the id of one tenant (a UUID)",
  ],
  ["a member that is misspelt", [{ ...google, redirectUri: "x" }], "redirectUri is not known"],
  ["a member of every object", [{ ...google, constructor: "x" }], "constructor is not known"],
  ["a secret", [{ ...google, clientSecret: "x" }], "clientSecret is not known"],
  ["HS256", [{ ...own, algorithms: ["HS256"] }], "algorithms must be some of RS256"],
  ["no algorithm", [{ ...own, algorithms: [] }], "algorithms must be some of RS256"],
  ["a name with a tilde", [{ ...own, id: "a~b" }], "id must be 1 to 32 of a-z 0-9 -"],
  [
    "a page with a fragment",
    [{ ...own, redirectUris: ["https://app.example.com/#x"] }],
    "redirectUris must be a list of URLs",
  ],
  [
    "a page of another scheme",
    [{ ...own, redirectUris: ["javascript:alert(1)"] }],
    "redirectUris must be a list of URLs",
  ],
  ["Apple without a page", [{ ...apple, page: undefined }], "provider 1: page is missing"],
  [
    "Apple that returns to the page",
    [{ ...apple, redirectUris: google.redirectUris }],
    "redirectUris must end with /auth/external/apple/form",
  ],
  ["a page for a redirect", [{ ...google, page: apple.page }], "page is for responseMode form_post"],
  ["one page for two", [google, { ...apple, page: google.redirectUris[0] }], "stands there twice"],
  ["what is no entry", [null], "provider 1: id is missing"],
])("X06 %s: does not start", (_, entries, fault) => {
  expect(() => parse(...entries)).toThrow(fault);
});

test("X06 not JSON, or plain http outside one's own machine: does not start", () => {
  expect(() => parseProviders("{")).toThrow("must be a JSON list");
  const read = (STAGE: string, entry: object) =>
    readConfig({ identityProviders }, { STAGE, IDENTITY_PROVIDERS: JSON.stringify([entry]) });
  const fault = "IDENTITY_PROVIDERS must have https URLs in stage prod";
  for (const entry of [
    { ...own, redirectUris: ["http://app.example.com/own"] },
    { ...own, tokenEndpoint: "http://id.example.com/token" },
    { ...own, jwksUri: "http://id.example.com/jwks" },
    { ...apple, page: "http://app.example.com/apple" },
  ]) {
    expect(() => read("prod", entry)).toThrow(fault);
    expect(read("dev", entry).identityProviders).toHaveLength(1);
  }
});

test.each([
  "",
  "{",
  "[]",
  "null",
  '{"google":"x"}',
  '{"google":{}}',
  '{"google":{"clientSecret":""}}',
  '{"google":{"clientSecret":"s","x":1}}',
])("keys that are none are refused, and not quoted: %s", (text) => {
  expect(() => parseProviderKeys(text)).toThrow(
    'must be a JSON object such as {"google":{"clientSecret":"…"}}',
  );
});

const pem = (namedCurve: string) =>
  generateKeyPairSync("ec", {
    ...{ namedCurve, publicKeyEncoding: { type: "spki", format: "pem" } },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  }).privateKey;
const signing = { teamId: "TEAM123456", keyId: "KEY1234567", privateKey: pem("P-256") };

test.each<[string, object, string]>([
  [
    "another curve",
    { ...signing, privateKey: pem("P-384") },
    "the privateKey of apple must be the text of a .p8 file",
  ],
  [
    "no key",
    { ...signing, privateKey: "tell-tale" },
    "the privateKey of apple must be the text of a .p8 file",
  ],
  ["no team", { ...signing, teamId: undefined }, "must be a JSON object"],
  ["a secret, too", { ...signing, clientSecret: "tell-tale" }, "must be a JSON object"],
])("Apple's key with %s is refused, and not quoted", (_, key, fault) => {
  const parse = () => parseProviderKeys(JSON.stringify({ apple: key }));
  expect(parse).toThrow(fault);
  expect(parse).not.toThrow("tell-tale");
  expect(parseProviderKeys(JSON.stringify({ apple: signing })).get("apple")).toMatchObject({
    ...{ teamId: "TEAM123456", keyId: "KEY1234567" },
  });
});

test("the keys of providers are found by their ids, and by no other name", () => {
  const keys = parseProviderKeys('{"google":{"clientSecret":"secret"}}');
  expect([keys.get("google"), keys.get("constructor")]).toEqual([{ clientSecret: "secret" }, undefined]);
});
