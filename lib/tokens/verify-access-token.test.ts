import { describe, expect, test } from "@jest/globals";
import { createKey, publicKey } from "../../tests/support/keys.ts";
import { buildToken, encode, signerOf } from "../../tests/support/token.ts";
import { importVerificationKeys, type OurJwk } from "./keys.ts";
import {
  AccessTokenError,
  createAccessTokenVerifier,
  createExpiredTokenVerifier,
} from "./verify-access-token.ts";

const now = 1_800_000_000;
// With a kid of seven letters, tokens can have 4,096 characters as well as 4,097: base64url has no text of 4n + 1.
const [key, otherKey] = [{ ...createKey("EdDSA"), kid: "the-key" }, createKey("ES256")];
const sign = signerOf(key);
const header = { alg: "EdDSA", typ: "at+jwt", kid: key.kid };
const claims = {
  iss: "https://auth.example.com",
  aud: "api",
  client_id: "web",
  sub: "user",
  sid: "session",
  email: "ada@example.com",
  auth_time: now - 100,
  iat: now,
  exp: now + 900,
  jti: "pair",
};
let time = now;
const options = {
  keys: await importVerificationKeys([key, otherKey].map(publicKey) as unknown as OurJwk[]),
  issuer: claims.iss,
  audience: claims.aud,
  clock: () => time,
  accessTokenTtlSeconds: 900,
  sessionsNotBefore: now - 1_000,
};
const verifyLive = createAccessTokenVerifier(options);
const verifyExpired = createExpiredTokenVerifier(options);

const token = buildToken(header, claims, sign);
const [head = "", body = "", signature = ""] = token.split(".");
const withHeader = (members: object) => buildToken({ ...header, ...members }, claims, sign);
const withClaims = (members: object) => buildToken(header, { ...claims, ...members }, sign);
const withText = (text: string) => buildToken(header, text, sign);

async function expectAccepted(text: string): Promise<void> {
  const payload = JSON.parse(Buffer.from(text.split(".")[1] ?? "", "base64url").toString());
  expect(await verifyLive(text)).toEqual(payload);
  expect(await verifyExpired(text)).toEqual({ claims: payload, isExpired: false });
}

async function expectRefused(text: string): Promise<void> {
  await expect(verifyLive(text)).rejects.toThrow(AccessTokenError);
  await expect(verifyExpired(text)).rejects.toThrow(AccessTokenError);
}

describe("a token is accepted", () => {
  test("as we issue it", () => expectAccepted(token));

  test.each([
    ["an audience among others", { aud: ["web", "api"] }],
    ["claims of tomorrow", { note: "x" }],
    ["roles", { roles: ["admin"] }],
    ["texts of 256 characters", { sub: "s".repeat(256) }],
    ["an address of 254", { email: "e".repeat(254) }],
    ["a life of no time", { exp: now, iat: now }],
    ["times of 0", { auth_time: now - 1_000, iat: now - 900, exp: now }],
    ["a clock 5 s ahead of ours", { iat: now + 5 }],
    ["an nbf 5 s ahead", { nbf: now + 5 }],
    ["an nbf of long ago", { nbf: 0 }],
  ])("with %s", async (_, members) => expectAccepted(withClaims(members)));

  test("up to 4,096 characters, and not one more", async () => {
    const longest = lengthened(4_096);
    await expectAccepted(longest);
    await expectRefused(lengthened(4_097));
    await expectRefused(`${longest}A`);
  });
});

/** A token of so many characters. */
function lengthened(length: number): string {
  const build = (pad: number) => withClaims({ note: "x".repeat(pad) });
  let pad = Math.floor((length - build(0).length) * 0.75);
  while (build(pad).length < length) pad++;
  expect(build(pad)).toHaveLength(length);
  return build(pad);
}

describe("a token is refused", () => {
  test.each([
    ["is no text", undefined as never],
    ["is empty", ""],
    ["has two segments", `${head}.${body}`],
    ["has four", `${token}.${signature}`],
    ["begins with a dot", `.${token}`],
    ["ends with one", `${token}.`],
    ["has no header", `.${body}.${signature}`],
    ["has no claims", `${head}..${signature}`],
    ["has no signature", `${head}.${body}.`],
    ["is padded", `${token}=`],
    ["has a blank in it", `${head}. ${body}.${signature}`],
    ["begins with a line break", `\n${token}`],
    ["ends with one", `${token}\n`],
    ["has spare bits", `${head}.${body}.${signature.slice(0, -1)}${nextOf(signature.at(-1) ?? "")}`],
    ["has a header that is no JSON", `${encode("{")}.${body}.${signature}`],
    ["has a header that is null", `${encode("null")}.${body}.${signature}`],
    ["has a header that is a text", `${encode('"x"')}.${body}.${signature}`],
    ["has one header parameter too many", withHeader({ jwk: {} })],
    ["has no kid", withHeader({ kid: undefined })],
    ["has a kid that is a list", withHeader({ kid: [key.kid] })],
    ["has a kid we do not know", withHeader({ kid: "x" })],
    ["has the kid of another key", withHeader({ kid: otherKey.kid, alg: "ES256" })],
    ["has another alg", withHeader({ alg: "Ed25519" })],
    ["has alg none", withHeader({ alg: "none" })],
    ["has no typ", withHeader({ typ: undefined })],
    ["has a typ that is a list", withHeader({ typ: ["at+jwt"] })],
    ["is of another typ", withHeader({ typ: "JWT" })],
    ["has claims that begin with a blank", withText(` ${JSON.stringify(claims)}`)],
    ["has claims in a list", withText(JSON.stringify([claims]))],
    ["has another signature", buildToken(header, claims, () => Buffer.alloc(64, 1))],
  ])("that %s", async (_, text) => expectRefused(text));

  test.each([
    ...["iss", "aud", "client_id", "sub", "sid", "jti", "email", "iat", "exp", "auth_time"].flatMap((name) =>
      [undefined, null, true, ["x"], {}].map((value) => [name, value]),
    ),
    ...["iss", "client_id", "sub", "sid", "jti", "email"].flatMap((name) =>
      [1, "", "x".repeat(257)].map((value) => [name, value]),
    ),
    ...["iat", "exp", "auth_time"].flatMap((name) => ["1800000000", 0.5, -1].map((value) => [name, value])),
    ["email", "e".repeat(255)],
    ["iss", "https://evil.example.com"],
    ["aud", "web"],
    ["aud", ["web"]],
    ["exp", now - 1],
    ["exp", now + 86_401],
    ["exp", now + 2 ** 53],
    ["iat", now + 6],
    ["iat", now + 901],
    ["nbf", now + 6],
    ["nbf", "x"],
    ["roles", "admin"],
    ["roles", [1]],
  ])("whose %s is %j", async (name, value) => expectRefused(withClaims({ [name as string]: value })));
});

test("on protected routes no token lives longer than is configured, at refresh a day", async () => {
  for (const seconds of [901, 86_400]) {
    const long = withClaims({ exp: now + seconds });
    await expect(verifyLive(long)).rejects.toThrow("lives too long");
    expect((await verifyExpired(long)).isExpired).toBe(false);
  }
});

test("expiry is refused on protected routes 5 s after it, and told apart at refresh", async () => {
  const verify = createAccessTokenVerifier(options);
  const short = withClaims({ exp: now + 10 });
  await verify(short);
  try {
    time = now + 14;
    // Known or not makes no difference.
    for (const verifier of [verify, createAccessTokenVerifier(options)]) await verifier(short);
    expect((await verifyExpired(short)).isExpired).toBe(false);
    time = now + 15;
    for (const verifier of [verify, createAccessTokenVerifier(options)]) {
      await expect(verifier(short)).rejects.toThrow("expired");
    }
    expect(await verifyExpired(short)).toMatchObject({ claims: { sub: "user" }, isExpired: true });
    time = now - 6;
    await expect(verify(short)).rejects.toThrow("issued in the future");
    const later = withClaims({ iat: now - 100, exp: now + 800, nbf: now });
    time = now - 5;
    await verify(later);
    time = now - 6;
    await expect(verify(later)).rejects.toThrow("issued in the future");
  } finally {
    time = now;
  }
});

test("sessions from before SESSIONS_NOT_BEFORE are over on protected routes, to the second", async () => {
  await verifyLive(withClaims({ auth_time: now - 1_000 }));
  const older = withClaims({ auth_time: now - 1_001 });
  await expect(verifyLive(older)).rejects.toThrow("session ended by the operator");
  expect((await verifyExpired(older)).isExpired).toBe(false);
});

test("a token is verified once, refused ones each time", async () => {
  let lookUps = 0;
  const get = (kid: string) => {
    lookUps++;
    return options.keys.get(kid);
  };
  const verify = createAccessTokenVerifier({ ...options, keys: { get } as never });
  const tooLong = withClaims({ exp: now + 901 });
  for (let i = 0; i < 3; i++) {
    expect(await verify(token)).toEqual(claims);
    await expect(verify(tooLong)).rejects.toThrow(AccessTokenError);
  }
  expect(lookUps).toBe(1 + 3);
});

test("an expired token is forgiven its expiry only", async () => {
  const old = { auth_time: 0, iat: 0, exp: 1 };
  expect(await verifyExpired(withClaims(old))).toEqual({ claims: { ...claims, ...old }, isExpired: true });
  const expired = { iat: now - 2_000, exp: now - 1_100 };
  expect((await verifyExpired(withClaims(expired))).isExpired).toBe(true);
  for (const defect of [
    { iss: "https://evil.example.com" },
    { aud: "web" },
    { sub: 1 },
    { jti: undefined },
    { nbf: now + 6 },
    { exp: 0 },
    { iat: now - 100_000 },
  ]) {
    await expectRefused(withClaims({ ...expired, ...defect }));
  }
});

/** The next letter of base64url: for the last of a text, other spare bits. */
function nextOf(letter: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return alphabet[alphabet.indexOf(letter) + 1] ?? "";
}

describe("the reason for the log", () => {
  test.each([
    ["not a compact JWS", `${head}.${body}`],
    ["not a compact JWS", "x".repeat(4_097)],
    ["not canonical base64url", `${token.slice(0, -1)}${nextOf(token.at(-1) ?? "")}`],
    ["header is not a JSON object", buildToken("[", claims, sign)],
    ["unknown key", withHeader({ kid: "x" })],
    ["unknown key", withHeader({ alg: "ES256" })],
    ["unexpected header", withHeader({ jwk: {} })],
    ["unexpected header", withHeader({ typ: 1 })],
    ["claims are not an object", withText(` ${JSON.stringify(claims)}`)],
    ["wrong signature", buildToken(header, claims, () => Buffer.alloc(64, 1))],
    ["wrong issuer", withClaims({ iss: "https://evil.example.com" })],
    ["wrong audience", withClaims({ aud: "web" })],
    ["claim refused", withClaims({ jti: undefined })],
    ["claims of a wrong type", withClaims({ email: "e".repeat(255) })],
    ["lives too long", withClaims({ exp: now + 86_401 })],
    ["issued in the future", withClaims({ iat: now + 6 })],
    ["session ended by the operator", withClaims({ auth_time: now - 1_001 })],
    ["expired", withClaims({ iat: now - 900, exp: now - 5 })],
  ])("is %j", async (reason, text) => {
    await expect(verifyLive(text)).rejects.toMatchObject({ name: "AccessTokenError", reason });
  });

  test("comes with what jose said", async () => {
    const refusal = await verifyLive(withClaims({ aud: "web" })).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ cause: { code: "ERR_JWT_CLAIM_VALIDATION_FAILED", claim: "aud" } });
  });
});
