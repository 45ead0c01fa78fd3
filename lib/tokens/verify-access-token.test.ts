import { constants, createPublicKey, generateKeyPairSync, type JsonWebKeyInput, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "@jest/globals";
import { createKey, publicKey, type TestKey } from "../../tests/support/keys.ts";
import {
  buildToken,
  encode,
  foreignSigner,
  hmac,
  type Signer,
  secretsOf,
  signerOf,
  spareBits,
} from "../../tests/support/token.ts";
import { importVerificationKeys } from "./keys.ts";
import {
  AccessTokenError,
  createAccessTokenVerifier,
  createExpiredTokenVerifier,
} from "./verify-access-token.ts";

const now = 1_800_000_000;
// With a kid of seven letters, tokens can have 4,096 characters as well as 4,097: base64url has no text of 4n + 1.
const key: TestKey = { ...createKey("EdDSA"), kid: "the-key" };
const [elliptic, rsa] = [createKey("ES256"), createKey("RS256")];
const ours = signerOf(key);
const header = { alg: "EdDSA", typ: "at+jwt", kid: key.kid };
const claims = {
  ...{ iss: "https://auth.example.com", aud: "api", client_id: "web", sub: "user", sid: "session" },
  ...{ email: "ada@example.com", auth_time: now - 100, iat: now, exp: now + 900, jti: "pair" },
};
let time = now;
const options = {
  keys: await importVerificationKeys([key, elliptic, rsa].map(publicKey)),
  issuer: claims.iss,
  audience: claims.aud,
  clientId: "web",
  clock: () => time,
  accessTokenTtlSeconds: 900,
  sessionsNotBefore: now - 1_000,
};
const verifyLive = createAccessTokenVerifier(options);
const verifyExpired = createExpiredTokenVerifier(options);

const token = buildToken(header, claims, ours);
const [head = "", body = "", signature = ""] = token.split(".");
const withHeader = (members: object) => buildToken({ ...header, ...members }, claims, ours);
const withClaims = (members: object) => buildToken(header, { ...claims, ...members }, ours);
const words = (text: string) => text.split(" ");
const headersWith = (name: string, values: unknown[]) => values.map((value) => withHeader({ [name]: value }));
const claimsWith = (name: string, values: unknown[]) => values.map((value) => withClaims({ [name]: value }));
const withText = (text: string | Buffer) => buildToken(header, text, ours);
/** One claim is this text, which need not be what JSON.stringify would make. */
const withClaimText = (name: string, text: string) =>
  withText(JSON.stringify({ ...claims, [name]: "?" }).replace(`"${name}":"?"`, `"${name}":${text}`));
const withSignature = (bytes: Uint8Array) => `${head}.${body}.${Buffer.from(bytes).toString("base64url")}`;
const signedBy = (by: TestKey, members: object = {}) =>
  buildToken({ alg: by.alg, typ: "at+jwt", kid: by.kid, ...members }, claims, signerOf(by));

async function expectAccepted(text: string): Promise<void> {
  const payload = JSON.parse(Buffer.from(text.split(".")[1] ?? "", "base64url").toString());
  expect(await verifyLive(text)).toEqual(payload);
  expect(await verifyExpired(text)).toEqual({ claims: payload, isExpired: false });
}

async function expectRefused(text: string): Promise<void> {
  await expect(verifyLive(text)).rejects.toThrow(AccessTokenError);
  await expect(verifyExpired(text)).rejects.toThrow(AccessTokenError);
}

beforeEach(() => {
  time = now;
});

describe("a token is accepted", () => {
  test("as we issue it, whatever the algorithm", async () => {
    for (const by of [key, elliptic, rsa]) await expectAccepted(signedBy(by));
  });

  test.each([
    ["J24 an audience among others", { aud: ["web", "api"] }],
    ["claims of tomorrow", { note: "x" }],
    ["roles", { roles: ["admin"] }],
    ["texts of 256 characters", { sub: "s".repeat(256) }],
    ["an address of 254", { email: "e".repeat(254) }],
    ["a life of no time", { exp: now, iat: now }],
    ["times of 0", { auth_time: now - 1_000, iat: now - 900, exp: now }],
    ["J28 T07 a clock 5 s ahead of ours", { iat: now + 5 }],
    ["J29 T07 an nbf 5 s ahead", { nbf: now + 5 }],
    ["an nbf of long ago", { nbf: 0 }],
  ])("with %s", async (_, members) => expectAccepted(withClaims(members)));

  test("J58 of every client, where that is typed out", async () => {
    const [other, any] = [withClaims({ client_id: "another" }), { ...options, clientId: null }];
    expect(await createAccessTokenVerifier(any)(other)).toMatchObject({ client_id: "another" });
    expect((await createExpiredTokenVerifier(any)(other)).claims).toMatchObject({ client_id: "another" });
  });

  test.each(["AT+JWT", "At+Jwt", "application/at+jwt"])("J22 with the typ %s", async (typ) => {
    await expectAccepted(withHeader({ typ }));
  });

  test("J46 up to 4,096 characters, and not one more", async () => {
    const lengthened = (length: number) => {
      const build = (pad: number) => withClaims({ note: "x".repeat(pad) });
      let pad = Math.floor((length - build(0).length) * 0.75);
      while (build(pad).length < length) pad++;
      expect(build(pad)).toHaveLength(length);
      return build(pad);
    };
    await expectAccepted(lengthened(4_096));
    for (const length of [4_097, 65_536, 1_000_000]) await expectRefused(lengthened(length));
    await expectRefused(`${lengthened(4_096)}A`);
  });

  test("J33 with a claim or alg twice, if the last one is right: every reader sees that one", async () => {
    const text = JSON.stringify(claims);
    await expectAccepted(withText(text.replace('{"', '{"sub":"somebody else","')));
    await expectAccepted(withText(text.replace('{"', '{"exp":1,"')));
    await expectRefused(withText(`${text.slice(0, -1)},"exp":0}`));
    const headerText = JSON.stringify(header);
    await expectAccepted(buildToken(`{"alg":"none",${headerText.slice(1)}`, claims, ours));
    for (const alg of ["none", "HS256"])
      await expectRefused(buildToken(`${headerText.slice(0, -1)},"alg":"${alg}"}`, claims, ours));
  });
});

const attacker = createKey("EdDSA");
const theirs = signerOf(attacker);
const away = "https://evil.example/jwks.json";
const stranger = withClaims({ sub: "stranger", jti: "another" }).split(".");
const secretsFrom = (jwk: TestKey) =>
  secretsOf(createPublicKey({ key: { ...publicKey(jwk) }, format: "jwk" } as JsonWebKeyInput));
const commonSecrets =
  "secret,password,your-256-bit-secret,changeme,jwt,key,test,123456,qwerty,admin,shhhhh,AllYourBase,\0,".split(
    ",",
  );
const rsaPss = {
  key: generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey,
  padding: constants.RSA_PKCS1_PSS_PADDING,
};
const [p521, secp256k1] = ["P-521", "secp256k1"].map((namedCurve) => ({
  key: generateKeyPairSync("ec", { namedCurve }).privateKey,
  dsaEncoding: "ieee-p1363" as const,
}));
const signsWith =
  (digest: string, signing: Parameters<typeof sign>[2] | undefined): Signer =>
  (input) =>
    sign(digest, input, signing as Parameters<typeof sign>[2]);
const cut = (bytes: Buffer, length: number) => Buffer.concat([bytes, Buffer.alloc(132)]).subarray(0, length);
const signatureBytes = Buffer.from(signature, "base64url");

// The same for a key of P-256.
const es256 = signedBy(elliptic);
const es256Input = es256.slice(0, es256.lastIndexOf("."));
const es256Bytes = Buffer.from(es256.slice(es256Input.length + 1), "base64url");
const withEs256 = (bytes: Buffer) => `${es256Input}.${bytes.toString("base64url")}`;
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const scalars = [0n, 1n, order - 1n, order].map((x) => Buffer.from(x.toString(16).padStart(64, "0"), "hex"));

const file = import.meta.filename;
const b64 = { b64: true, crit: ["b64"] };

const forged: Record<string, string[]> = {
  "J02 alg none, without a signature": [`${encode({ ...header, alg: "none" })}.${body}.`],
  "J03 alg none in other letters": ["None", "NONE", "nOnE", "none ", "none\0", "", " "].flatMap((alg) => [
    `${encode({ ...header, alg })}.${body}.`,
    `${encode({ ...header, alg })}.${body}.${signature}`,
    withHeader({ alg }),
  ]),
  "J04 alg none, with the original signature": [
    `${encode({ ...header, alg: "none" })}.${body}.${signature}`,
    withHeader({ alg: "none" }),
  ],
  "J05 our alg, without a signature": [`${head}.${body}.`, `${head}.${body}`, withEs256(cut(es256Bytes, 0))],
  "J06 too few or too many segments": [
    ...["", "x", "..", "...", "a.b.c", head, `.${token}`, `${token}.`, `${token}.${signature}`],
    ...[
      `${head}..${body}.${signature}`,
      `.${body}.${signature}`,
      `${head}..${signature}`,
      `${token},${token}`,
    ],
  ],
  "J06 no text": [undefined as never, null as never, [token] as never],
  "J07 HS256 with a public key of ours as the secret": [key, elliptic].flatMap((by) =>
    secretsFrom(by).flatMap((secret) => [
      buildToken({ ...header, kid: by.kid, alg: "HS256" }, claims, hmac(secret)),
      buildToken({ ...header, kid: by.kid, alg: by.alg }, claims, hmac(secret)),
    ]),
  ),
  "J08 HS256 with a common secret": commonSecrets.map((secret) =>
    buildToken({ ...header, alg: "HS256" }, claims, hmac(secret)),
  ),
  "J09 another's key under our kid": (["EdDSA", "ES256", "RS256"] as const).flatMap((alg) => [
    buildToken({ ...header, alg }, claims, foreignSigner(alg)),
    buildToken(header, claims, foreignSigner(alg)),
  ]),
  "J09 J10 a key of another algorithm or curve": [
    buildToken({ ...header, alg: "PS256" }, claims, signsWith("sha256", rsaPss)),
    buildToken({ ...header, alg: "ES512" }, claims, signsWith("sha512", p521)),
    ...["ES256", "ES256K"].map((alg) =>
      buildToken({ ...header, alg, kid: elliptic.kid }, claims, signsWith("sha256", secp256k1)),
    ),
  ],
  "J10 an algorithm that is not the key's": [
    ...headersWith("alg", words("ES256 ES384 RS256 PS256 Ed25519 Ed448 eddsa HS256 RSA-OAEP")),
    ...words("ES384 ES256K ES512 EdDSA RS256").map((alg) => signedBy(elliptic, { alg })),
  ],
  "J10 an alg that is no text, or none": [1, null, ["EdDSA"], { alg: "EdDSA" }, undefined, true].map((alg) =>
    withHeader({ alg }),
  ),
  "J11 the attacker's key in the header": [
    buildToken({ ...header, jwk: publicKey(attacker) }, claims, theirs),
    buildToken({ ...header, jwk: { ...publicKey(attacker), kid: header.kid } }, claims, theirs),
    withHeader({ jwk: publicKey(key) }),
  ],
  "J12 a URL of the attacker's keys": [
    buildToken({ ...header, jku: away }, claims, theirs),
    buildToken({ ...header, kid: attacker.kid, jku: away }, claims, theirs),
    buildToken({ ...header, kid: away }, claims, theirs),
  ],
  "J13 a certificate, or where to find one": [
    buildToken({ ...header, x5u: away }, claims, theirs),
    buildToken({ ...header, x5c: ["MIIB"] }, claims, theirs),
    ...[{ x5t: "x" }, { "x5t#S256": "x" }].map(withHeader),
  ],
  "J14 a path as kid, or a file whose content is the secret": [
    ...["../../dev/null", "/dev/null", "file:///etc/passwd", "C:\\NUL"].flatMap((kid) => [
      buildToken({ ...header, kid, alg: "HS256" }, claims, hmac("")),
      withHeader({ kid }),
    ]),
    buildToken({ ...header, kid: file, alg: "HS256" }, claims, hmac(readFileSync(file))),
  ],
  "J15 a kid that would be a command elsewhere": headersWith("kid", [
    ...["' OR '1'='1", "x' UNION SELECT 'key", "$(id)", "| id", "*)(uid=*", ":kid = :kid", `${key.kid}' --`],
  ]),
  "J16 a kid that is no text, or a long one": headersWith("kid", [
    ...[1, null, true, [key.kid], { kid: key.kid }, "", "k".repeat(2_000), "k".repeat(10_000)],
  ]),
  "J17 a kid that every object has": words("__proto__ constructor toString hasOwnProperty size get").flatMap(
    (kid) => [withHeader({ kid }), withHeader({ kid, alg: undefined })],
  ),
  "J18 our kid with more to it": headersWith("kid", [
    ...["the-key\0", "the-key\r\n", " the-key", "the-key ", "the-keyx"],
  ]),
  "J19 no kid, and one that we do not know": [withHeader({ kid: undefined }), withHeader({ kid: "x" })],
  "J20 crit": [["exp"], [], ["alg"], ["x"], "exp", ["b64", "b64"], null, [1]].flatMap((crit) => [
    withHeader({ crit, x: 1 }),
    withHeader({ crit }),
  ]),
  "J21 b64": [{ b64: false }, { b64: true }, { ...b64, b64: false }, b64].map(withHeader),
  "J22 another typ": headersWith("typ", [
    ...[
      undefined,
      "JWT",
      "jwt",
      "id+jwt",
      "at+jwt ",
      "at+jwt; x=y",
      "",
      ["at+jwt"],
      1,
      null,
      { typ: "at+jwt" },
    ],
  ]),
  "J23 J49 another iss": [
    ...["https://evil.example", "https://staging.example.com", `${claims.iss}/`, claims.iss.toUpperCase()],
    ...[claims.iss.replace("https", "http"), [claims.iss], { iss: claims.iss }],
  ].map((iss) => withClaims({ iss })),
  "J24 J49 another aud": claimsWith("aud", [
    ...[...words("web other apis ap API"), "", [], ["web"], { aud: "api" }, 1, [["api"]], [null]],
  ]),
  "J58 another client": claimsWith("client_id", [...words("another Web webs we"), "web ", "*"]),
  "J25 an exp that is no number": claimsWith("exp", [
    ...[String(claims.exp), [claims.exp], { exp: claims.exp }, "", "never"],
  ]),
  "J26 J28 J29 a time that is none": [
    ...["1e308", "1e999", "9007199254740993", `${claims.exp}.5`, "-1", "0", "-0", `-${claims.exp}`].map(
      (text) => withClaimText("exp", text),
    ),
    ...["1e308", "-1e308", "9007199254740993"].map((text) => withClaimText("iat", text)),
    withClaimText("nbf", "1e308"),
  ],
  "J27 a life of more than a day": [86_401, 315_360_000, 2 ** 53].map((seconds) =>
    withClaims({ exp: now + seconds }),
  ),
  "J28 J29 T07 an odd iat or nbf": [
    ...claimsWith("iat", [String(now), now + 3_600, now + 6, now + 0.5, -1, now + 901, [now]]),
    ...claimsWith("nbf", [now + 3_600, now + 6, "now", null, [now]]),
  ],
  "an exp that is past and not after iat": [withClaims({ exp: now - 1 })],
  "J29 an nbf that is not before exp": [
    ...[now - 900, now - 899].map((nbf) => withClaims({ iat: now - 1_000, exp: now - 900, nbf })),
    ...[now + 3, now + 4].map((nbf) => withClaims({ exp: now + 3, nbf })),
  ],
  "J31 an identity or time of another type": [
    ...words("iss aud client_id sub sid jti email iat exp auth_time").flatMap((name) =>
      claimsWith(name, [undefined, null, true, ["x"], [], {}, { S: "x" }]),
    ),
    ...words("iss client_id sub sid jti email").flatMap((name) => claimsWith(name, [1, "", "x".repeat(257)])),
    ...claimsWith("auth_time", ["1800000000", 0.5, -1]),
    withClaims({ email: "e".repeat(255) }),
    ...["admin", [1]].map((roles) => withClaims({ roles })),
  ],
  "J34 claims or a header that are no object": [
    ...["[]", "null", '"x"', "1", "true", "", "{", "{}x", "x{}", JSON.stringify([claims])].map(withText),
    ...["[]", "null", '"x"', "1", "", "{", "x"].map((text) => buildToken(text, claims, ours)),
  ],
  "J35 claims in another encoding": [
    Buffer.from(JSON.stringify({ ...claims, x: "\xff" }), "latin1"),
    Buffer.from(JSON.stringify(claims), "utf16le"),
    ...["\ufeff", " ", "\n"].map((start) => start + JSON.stringify(claims)),
  ].map(withText),
  "J36 claims in __proto__": [
    withText(`{"__proto__":${JSON.stringify(claims)}}`),
    withText(`{"__proto__":{"exp":${claims.exp}},${JSON.stringify({ ...claims, exp: undefined }).slice(1)}`),
  ],
  "J38 an Ed25519 signature that is another number for the same, or nothing": [
    withSignature(malleate(signatureBytes)),
    withSignature(Buffer.alloc(64)),
    withSignature(Buffer.alloc(64, 1)),
    `${head}.${body}.${"A".repeat(43)}${signature.slice(43)}`,
  ],
  "J38 r and s of 0, 1, n-1 and n": scalars.flatMap((r) =>
    scalars.map((s) => withEs256(Buffer.concat([r, s]))),
  ),
  "J39 an ES256 signature in DER form": [`${es256Input}.MAYCAQACAQA`, withEs256(toDer(es256Bytes))],
  "J40 a signature of another length": [0, 1, 32, 63, 65, 96, 132].flatMap((length) => [
    withSignature(cut(signatureBytes, length)),
    withEs256(cut(es256Bytes, length)),
  ]),
  "J42 spare bits in the last letter of the signature": [...spareBits(token, 4), ...spareBits(es256, 4)],
  "J43 padding": [
    ...[`${token}=`, `${token}==`, `${head}=.${body}.${signature}`, `${head}.${body}=.${signature}`],
  ],
  "J43 blanks": [" ", "\t", "\n", "\r\n", "\u00a0", "\0"].flatMap((blank) => [
    ...[blank + token, token + blank],
    `${head}${blank}.${body}.${signature}`,
    `${head}.${blank}${body}.${signature}`,
    `${head}.${body}.${signature.slice(0, 40)}${blank}${signature.slice(40)}`,
  ]),
  "J44 plain base64": [
    ...[`${head}.${body}.${signatureBytes.toString("base64")}`, `${head}.${body}.+/${signature.slice(2)}`],
  ],
  "J45 characters that look like others, or like nothing": [
    ...[token.replaceAll(".", "\uff0e"), token.replaceAll(".", "%2E"), token.replace(".", ".\u200b")],
    ...[`\ufeff${token}`, `${token}\u200d`, `${token}\ud800`, token.replace("e", "\u0435")],
  ],
  "J47 a header that is nested deeply": [
    `{"alg":${"[".repeat(900)}${"]".repeat(900)}}`,
    `${"[".repeat(1_200)}${"]".repeat(1_200)}`,
  ].map((text) => `${encode(text)}.${body}.${signature}`),
  "J48 the JSON form of a JWS": [
    ...[{ protected: head, signature }, { signatures: [{ protected: head, signature }] }],
  ].map((members) => JSON.stringify({ ...members, payload: body })),
  "J51 halves of two tokens": [
    `${head}.${stranger[1]}.${signature}`,
    `${head}.${body}.${stranger[2]}`,
    `${head}.${encode({ ...claims, sub: "stranger" })}.${signature}`,
    `${head}.${encode({ ...claims, exp: claims.exp + 900 })}.${signature}`,
  ],
  "J52 K14 the kid or the algorithm of one key with another, both ours": [
    ...[elliptic, rsa].map((by) => signedBy(by, { kid: key.kid })),
    ...[elliptic, rsa].flatMap(({ kid, alg }) => [signedBy(key, { kid }), signedBy(key, { kid, alg })]),
    ...[signedBy(elliptic, { kid: rsa.kid }), signedBy(rsa, { kid: elliptic.kid })],
    ...[
      signedBy(elliptic, { alg: "RS256" }),
      signedBy(rsa, { alg: "ES256" }),
      signedBy(rsa, { alg: "PS256" }),
    ],
    buildToken({ ...header, kid: rsa.kid, alg: "HS256" }, claims, hmac(rsa.n ?? "")),
  ],
  "J53 other members in the header": [
    ...[{ zip: "DEF" }, { cty: "JWT" }, { foo: "bar" }, { enc: "A256GCM" }, { p2c: 1_000_000_000 }],
    ...[{ nonce: "x" }, { url: away }, { "": 1 }, { Alg: "none" }, { jwk: {} }],
  ].map(withHeader),
  "J53 a nested token": [buildToken({ ...header, cty: "JWT" }, token, ours), withText(token)],
};

describe("a forged or malformed access token is refused", () => {
  test.each(Object.entries(forged))("%s", async (_, tokens) => {
    expect(tokens.length).toBeGreaterThan(0);
    for (const text of tokens) await expectRefused(text);
  });

  test("J37 every bit of the signature matters, and every letter of header and claims", async () => {
    expect(signatureBytes).toHaveLength(64);
    for (let bit = 0; bit < 512; bit++) {
      const flipped = Uint8Array.from(signatureBytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await expectRefused(withSignature(flipped));
    }
    for (const at of [...`${head}.${body}`].keys()) {
      if (token[at] === ".") continue;
      const other = token[at] === "A" ? "B" : "A";
      await expectRefused(token.slice(0, at) + other + token.slice(at + 1));
    }
  });
});

test("J27 on protected routes no token lives longer than is configured, at refresh a day", async () => {
  await expectAccepted(withClaims({ exp: now + 900 }));
  for (const seconds of [901, 86_400]) {
    const long = withClaims({ exp: now + seconds });
    await expect(verifyLive(long)).rejects.toThrow("lives too long");
    expect((await verifyExpired(long)).isExpired).toBe(false);
  }
});

test("J30 T12 expiry is refused on protected routes 5 s after it, and told apart at refresh", async () => {
  const verify = createAccessTokenVerifier(options);
  const short = withClaims({ exp: now + 10 });
  await verify(short);
  time = now + 14;
  // Known or not makes no difference.
  for (const verifier of [verify, createAccessTokenVerifier(options)]) await verifier(short);
  expect((await verifyExpired(short)).isExpired).toBe(false);
  time = now + 15;
  for (const verifier of [verify, createAccessTokenVerifier(options)])
    await expect(verifier(short)).rejects.toThrow("expired");
  expect(await verifyExpired(short)).toMatchObject({ claims: { sub: "user" }, isExpired: true });
  time = now - 5;
  const later = withClaims({ iat: now - 100, exp: now + 800, nbf: now });
  await verify(later);
  time = now - 6;
  for (const early of [short, later]) await expect(verify(early)).rejects.toThrow("issued in the future");
});

test("K11 sessions from before SESSIONS_NOT_BEFORE are over on protected routes, to the second", async () => {
  await verifyLive(withClaims({ auth_time: now - 1_000 }));
  const older = withClaims({ auth_time: now - 1_001 });
  for (const _ of [1, 2]) await expect(verifyLive(older)).rejects.toThrow("session ended by the operator");
  expect((await verifyExpired(older)).isExpired).toBe(false);
});

test("a token is verified once, refused ones each time, and no forged one makes room for itself", async () => {
  let lookUps = 0;
  const get = (kid: string) => {
    lookUps++;
    return options.keys.get(kid);
  };
  const verify = createAccessTokenVerifier({ ...options, keys: { get } as never });
  const [tooLong, expired] = [withClaims({ exp: now + 901 }), withClaims({ iat: now - 900, exp: now - 5 })];
  for (let i = 0; i < 3; i++) {
    expect(await verify(token)).toEqual(claims);
    for (const refused of [tooLong, expired]) await expect(verify(refused)).rejects.toThrow(AccessTokenError);
  }
  for (let i = 0; i < 1_001; i++) {
    const forgedBytes = Buffer.from(signatureBytes);
    forgedBytes.writeUInt16BE(forgedBytes.readUInt16BE() ^ (i + 1));
    await expect(verify(withSignature(forgedBytes))).rejects.toThrow(AccessTokenError);
  }
  await verify(token);
  expect(lookUps).toBe(1 + 2 * 3 + 1_001);
});

test("J26 J29 R33 expiry is the only defect that refresh forgives", async () => {
  const old = { auth_time: 0, iat: 0, exp: 1 };
  expect(await verifyExpired(withClaims(old))).toEqual({ claims: { ...claims, ...old }, isExpired: true });
  const expired = { iat: now - 2_000, exp: now - 1_100 };
  expect((await verifyExpired(withClaims(expired))).isExpired).toBe(true);
  for (const defect of [
    ...[{ iss: "https://evil.example" }, { aud: "web" }, { sub: 1 }, { sid: undefined }, { jti: null }],
    ...[{ jti: undefined }, { auth_time: "x" }, { email: undefined }, { iat: undefined }, { iat: now + 60 }],
    ...[{ nbf: now + 6 }, { nbf: "x" }, { exp: 0 }, { exp: -1 }, { exp: 1.5 }, { iat: now - 100_000 }],
  ]) {
    await expectRefused(withClaims({ ...expired, ...defect }));
  }
  await expectRefused(buildToken({ ...header, typ: "JWT" }, { ...claims, ...expired }, ours));
  await expectRefused(buildToken(header, { ...claims, ...expired }, theirs));
});

describe("the reason for the log", () => {
  test.each([
    ["not a compact JWS", `${head}.${body}`],
    ["not a compact JWS", "x".repeat(4_097)],
    ["not canonical base64url", spareBits(token, 1)[0] ?? ""],
    ["header is not a JSON object", buildToken("[", claims, ours)],
    ["unknown key", withHeader({ kid: "x" })],
    ["unknown key", withHeader({ alg: "ES256" })],
    ["unexpected header", withHeader({ jwk: {} })],
    ["unexpected header", withHeader({ typ: 1 })],
    ["claims are not an object", withText(` ${JSON.stringify(claims)}`)],
    ["wrong signature", withSignature(Buffer.alloc(64, 1))],
    ["wrong issuer", withClaims({ iss: "https://evil.example.com" })],
    ["wrong audience", withClaims({ aud: "web" })],
    ["wrong client", withClaims({ client_id: "Web" })],
    ["claim refused", withClaims({ jti: undefined })],
    ["claims of a wrong type", withClaims({ email: "e".repeat(255) })],
    ["claims contradict each other", withClaims({ iat: now - 1, exp: now - 2 })],
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

/** Adds the group order to the S of an Ed25519 signature (RFC 8032, section 5.1.7: S must be below it). */
function malleate(bytes: Buffer): Buffer {
  const groupOrder = 2n ** 252n + 27742317777372353535851937790883648493n;
  const s = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString("hex")}`) + groupOrder;
  const hex = s.toString(16).padStart(64, "0");
  return Buffer.concat([bytes.subarray(0, 32), Buffer.from(hex, "hex").reverse()]);
}

/** An ECDSA signature as ASN.1 has it, not RFC 7518. */
function toDer(bytes: Buffer): Buffer {
  const sequence = (tag: number, content: Buffer) => Buffer.concat([Buffer.of(tag, content.length), content]);
  const integer = (part: Buffer) =>
    sequence(2, part[0] && part[0] > 127 ? Buffer.concat([Buffer.of(0), part]) : part);
  return sequence(0x30, Buffer.concat([integer(bytes.subarray(0, 32)), integer(bytes.subarray(32))]));
}
