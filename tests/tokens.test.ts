import { constants, createPublicKey, generateKeyPairSync, type JsonWebKeyInput, sign } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, describe, expect, test } from "@jest/globals";
import { bodyOf, expectJson, expectProblem, refusals } from "./support/answer.ts";
import { clock } from "./support/clock.ts";
import { createForgery, header, hmac, ours, spareBits } from "./support/forgery.ts";
import { createKey, keySettings, publicKey } from "./support/keys.ts";
import { cookieOf } from "./support/pair.ts";
import { signingKey, startService } from "./support/service.ts";
import { buildToken, encode, foreignSigner, secretsOf, signerOf } from "./support/token.ts";

const service = await startService();
const { sandbox, expectRequests } = service;
const stranger = await service.logIn({ account: await service.register() });
const forgery = await createForgery(service);
const { pair, withHeader, withClaims, withText, withClaimText, withLength, expectRefusedEverywhere } =
  forgery;
const { refreshToken, claims } = pair;
const [head = "", body = "", signature = ""] = pair.token.split(".");
const publicJwk = publicKey(signingKey);

/** Asserts that a token opens the protected route and passes as half of a pair. */
async function expectAccepted(token: string) {
  expect((await sandbox.movies({ headers: { authorization: `Bearer ${token}` } })).statusCode).toBe(200);
  const cookies = [cookieOf({ token, refreshToken: `${refreshToken.slice(0, -4)}AAAA` })];
  expectProblem(await sandbox.refresh({ cookies }), refusals.invalidRefreshToken);
}

const listener = createServer((_, response) => {
  heard++;
  response.end(JSON.stringify({ keys: [publicKey(attacker)] }));
});
let heard = 0;
listener.listen(0, "127.0.0.1").unref();
await once(listener, "listening");
afterAll(() => {
  listener.close();
});
const away = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/jwks.json`;
const attacker = createKey("EdDSA");
const theirs = signerOf(attacker);
const attackerJwk = publicKey(attacker);
const rsaPss = {
  key: generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey,
  padding: constants.RSA_PKCS1_PSS_PADDING,
};
const p521 = {
  key: generateKeyPairSync("ec", { namedCurve: "P-521" }).privateKey,
  dsaEncoding: "ieee-p1363",
} as const;
const commonSecrets = [
  ...["secret", "password", "your-256-bit-secret", "your-secret-key", "changeme", "jwt", "jwt-secret", "key"],
  ...["test", "123456", "12345678", "qwerty", "admin", "default", "shhhhh", "supersecret", "secretkey"],
  ...["AllYourBase", "keyboard cat", "\0"],
];

test("the tokens that the others are made of are accepted", async () => {
  expect(buildToken(header, claims, ours)).toBe(pair.token);
  await expectAccepted(pair.token);
  await expectAccepted(withClaims({ note: "a claim of tomorrow" }));
  expect((await service.refresh(await service.logIn())).statusCode).toBe(200);
});

const forged: [id: string, what: string, tokens: string[]][] = [
  ["J02", "alg none, without a signature", [`${encode({ ...header, alg: "none" })}.${body}.`]],
  [
    "J03",
    "alg none in other letters",
    ["None", "NONE", "nOnE", "none ", "none\0", "", " "].flatMap((alg) => [
      `${encode({ ...header, alg })}.${body}.`,
      `${encode({ ...header, alg })}.${body}.${signature}`,
      withHeader({ alg }),
    ]),
  ],
  [
    "J04",
    "alg none, with the original signature",
    [`${encode({ ...header, alg: "none" })}.${body}.${signature}`, withHeader({ alg: "none" })],
  ],
  ["J05", "our alg, without a signature", [`${head}.${body}.`, `${head}.${body}`]],
  [
    "J06",
    "too few or too many segments",
    [
      "",
      "x",
      head,
      "..",
      "...",
      "a.b.c",
      `.${pair.token}`,
      `${pair.token}.`,
      `${pair.token}.${signature}`,
      `${head}..${body}.${signature}`,
      `.${body}.${signature}`,
      `${head}..${signature}`,
      `${pair.token},${pair.token}`,
    ],
  ],
  [
    "J07",
    "HS256 with our public key as the secret",
    secretsOf(createPublicKey({ key: publicJwk, format: "jwk" } as JsonWebKeyInput)).flatMap((secret) => [
      buildToken({ ...header, alg: "HS256" }, claims, hmac(secret)),
      buildToken(header, claims, hmac(secret)),
    ]),
  ],
  [
    "J08",
    "HS256 with a common secret",
    ["", ...commonSecrets].map((secret) => buildToken({ ...header, alg: "HS256" }, claims, hmac(secret))),
  ],
  [
    "J09",
    "another's key under our kid",
    (["EdDSA", "ES256", "RS256"] as const).flatMap((alg) => [
      buildToken({ ...header, alg }, claims, foreignSigner(alg)),
      buildToken(header, claims, foreignSigner(alg)),
    ]),
  ],
  [
    "J09",
    "another's key of an algorithm that we do not take",
    [
      buildToken({ ...header, alg: "PS256" }, claims, (input) => sign("sha256", input, rsaPss)),
      buildToken({ ...header, alg: "ES512" }, claims, (input) => sign("sha512", input, p521)),
    ],
  ],
  [
    "J10",
    "an algorithm that is not the key's",
    ["ES256", "ES384", "RS256", "PS256", "Ed25519", "Ed448", "eddsa", "HS256", "RSA-OAEP"].map((alg) =>
      withHeader({ alg }),
    ),
  ],
  [
    "J10",
    "an alg that is no text, or none",
    [1, null, ["EdDSA"], { alg: "EdDSA" }, undefined, true].map((alg) => withHeader({ alg })),
  ],
  [
    "J11",
    "the attacker's key in the header",
    [
      buildToken({ ...header, jwk: attackerJwk }, claims, theirs),
      buildToken({ ...header, jwk: { ...attackerJwk, kid: header.kid } }, claims, theirs),
      withHeader({ jwk: publicJwk }),
    ],
  ],
  [
    "J12",
    "a URL of the attacker's keys",
    [
      buildToken({ ...header, jku: away }, claims, theirs),
      buildToken({ ...header, kid: attacker.kid, jku: away }, claims, theirs),
      buildToken({ ...header, kid: away }, claims, theirs),
    ],
  ],
  [
    "J13",
    "a certificate, or where to find one",
    [
      buildToken({ ...header, x5u: away }, claims, theirs),
      buildToken({ ...header, x5c: ["MIIB"] }, claims, theirs),
      withHeader({ x5t: "x" }),
      withHeader({ "x5t#S256": "x" }),
    ],
  ],
  [
    "J14",
    "a path as kid",
    ["../../dev/null", "/dev/null", "file:///etc/passwd", "C:\\NUL"].flatMap((kid) => [
      buildToken({ ...header, kid, alg: "HS256" }, claims, hmac("")),
      withHeader({ kid }),
    ]),
  ],
  [
    "J14",
    "a file as kid, whose content is the secret",
    [
      buildToken(
        { ...header, kid: import.meta.filename, alg: "HS256" },
        claims,
        hmac(readFileSync(import.meta.filename)),
      ),
    ],
  ],
  [
    "J15",
    "a kid that would be a command elsewhere",
    [
      "' OR '1'='1",
      "x' UNION SELECT 'key",
      "$(id)",
      "| id",
      "*)(uid=*",
      ":kid = :kid",
      `${header.kid}' --`,
    ].map((kid) => withHeader({ kid })),
  ],
  [
    "J16",
    "a kid that is no text",
    [1, null, true, [header.kid], { kid: header.kid }, "", "k".repeat(2_000), "k".repeat(10_000)].map((kid) =>
      withHeader({ kid }),
    ),
  ],
  [
    "J17",
    "a kid that every object has",
    ["__proto__", "constructor", "toString", "hasOwnProperty", "size", "get"].flatMap((kid) => [
      withHeader({ kid }),
      withHeader({ kid, alg: undefined }),
    ]),
  ],
  [
    "J18",
    "our kid with more to it",
    [`${header.kid}\0`, `${header.kid}\r\n`, ` ${header.kid}`, `${header.kid} `, `${header.kid}x`].map(
      (kid) => withHeader({ kid }),
    ),
  ],
  ["J19", "no kid", [withHeader({ kid: undefined })]],
  [
    "J20",
    "crit",
    [["exp"], [], ["alg"], ["x"], "exp", ["b64", "b64"], null, [1]].map((crit) => withHeader({ crit, x: 1 })),
  ],
  ["J20", "crit alone", [["exp"], [], "x"].map((crit) => withHeader({ crit }))],
  [
    "J21",
    "b64",
    [
      withHeader({ b64: false }),
      withHeader({ b64: true }),
      withHeader({ b64: false, crit: ["b64"] }),
      withHeader({ b64: true, crit: ["b64"] }),
    ],
  ],
  [
    "J22",
    "another typ",
    [
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
    ].map((typ) => withHeader({ typ })),
  ],
  [
    "J23",
    "another iss",
    [
      undefined,
      null,
      "",
      "https://evil.example",
      `${claims.iss}/`,
      claims.iss.toUpperCase(),
      claims.iss.replace("https", "http"),
      [claims.iss],
      { iss: claims.iss },
    ].map((iss) => withClaims({ iss })),
  ],
  [
    "J24",
    "another aud",
    [undefined, null, "", "web", "apis", "ap", "API", [], ["web"], { aud: "api" }, 1, [["api"]], [null]].map(
      (aud) => withClaims({ aud }),
    ),
  ],
  [
    "J25",
    "an exp that is no number",
    [undefined, null, String(claims.exp), [claims.exp], true, { exp: claims.exp }, "", "never"].map((exp) =>
      withClaims({ exp }),
    ),
  ],
  [
    "J26",
    "an exp that is no time",
    ["1e308", "1e999", "9007199254740993", `${claims.exp}.5`, "-1", "0", "-0", `-${claims.exp}`].map((text) =>
      withClaimText("exp", text),
    ),
  ],
  [
    "J27",
    "an exp ten years ahead",
    [withClaims({ exp: claims.iat + 315_360_000 }), withClaims({ exp: claims.iat + 86_401 })],
  ],
  [
    "J28",
    "an odd iat",
    [
      undefined,
      null,
      String(claims.iat),
      claims.iat + 3_600,
      claims.iat + 6,
      claims.iat + 0.5,
      -1,
      claims.exp + 1,
      [claims.iat],
    ].map((iat) => withClaims({ iat })),
  ],
  [
    "J28",
    "an iat out of bounds",
    [withClaimText("iat", "1e308"), withClaimText("iat", "-1e308"), withClaimText("iat", "9007199254740993")],
  ],
  [
    "J29",
    "an nbf in the future, or none at all",
    [claims.iat + 3_600, claims.iat + 6, "now", null, [claims.iat]].map((nbf) => withClaims({ nbf })),
  ],
  ["J29", "an nbf out of bounds", [withClaimText("nbf", "1e308")]],
  [
    "J31",
    "an identity that is no text",
    ["sub", "sid", "jti", "email", "client_id"].flatMap((name) =>
      [undefined, null, 1, true, {}, { S: "x" }, [], ["x"], "", "x".repeat(257)].map((value) =>
        withClaims({ [name]: value }),
      ),
    ),
  ],
  [
    "J31",
    "an odd auth_time",
    [undefined, null, "1800000000", -1, 0.5, [], {}, true].map((value) => withClaims({ auth_time: value })),
  ],
  [
    "J34",
    "claims that are no object",
    ["[]", "null", '"x"', "1", "true", "", "{", "{}x", "x{}"].map(withText),
  ],
  ["J34", "claims in an array", [withText(JSON.stringify([claims]))]],
  [
    "J34",
    "a header that is no object",
    ["[]", "null", '"x"', "1", "", "{", "x"].map((text) => buildToken(text, claims, ours)),
  ],
  [
    "J35",
    "claims in another encoding",
    [
      withText(
        Buffer.concat([
          Buffer.from(JSON.stringify(claims).slice(0, -1)),
          Buffer.from(',"x":"\xff"}', "latin1"),
        ]),
      ),
      withText(`\ufeff${JSON.stringify(claims)}`),
      withText(Buffer.from(JSON.stringify(claims), "utf16le")),
      withText(` ${JSON.stringify(claims)}`),
      withText(`\n${JSON.stringify(claims)}`),
    ],
  ],
  [
    "J36",
    "claims in __proto__",
    [
      withText(`{"__proto__":${JSON.stringify(claims)}}`),
      withText(
        `{"__proto__":{"exp":${claims.exp}},${JSON.stringify({ ...claims, exp: undefined }).slice(1)}`,
      ),
    ],
  ],
  [
    "J38",
    "an Ed25519 signature that is another number for the same",
    [
      malleate(signature),
      Buffer.alloc(64).toString("base64url"),
      `${"A".repeat(43)}${signature.slice(43)}`,
    ].map((forged) => `${head}.${body}.${forged}`),
  ],
  [
    "J40",
    "a signature of another length",
    [0, 1, 32, 63, 65, 96, 132].map((length) => {
      const bytes = Buffer.concat([Buffer.from(signature, "base64url"), Buffer.alloc(132)]).subarray(
        0,
        length,
      );
      return `${head}.${body}.${bytes.toString("base64url")}`;
    }),
  ],
  [
    "J42",
    "spare bits in the last letter of the signature",
    spareBits(signature, 4).map((text) => `${head}.${body}.${text}`),
  ],
  [
    "J43",
    "padding",
    [
      `${pair.token}=`,
      `${pair.token}==`,
      `${head}=.${body}.${signature}`,
      `${head}.${body}=.${signature}`,
      `${head}.${body}==.${signature}`,
    ],
  ],
  [
    "J43",
    "blanks",
    [" ", "\t", "\n", "\r\n", "\u00a0", "\0"].flatMap((blank) => [
      `${head}${blank}.${body}.${signature}`,
      `${head}.${blank}${body}.${signature}`,
      `${head}.${body}.${signature.slice(0, 40)}${blank}${signature.slice(40)}`,
    ]),
  ],
  [
    "J44",
    "plain base64",
    [Buffer.from(signature, "base64url").toString("base64"), `+/${signature.slice(2)}`].map(
      (text) => `${head}.${body}.${text}`,
    ),
  ],
  [
    "J45",
    "characters that look like others, or like nothing",
    [
      pair.token.replaceAll(".", "\uff0e"),
      pair.token.replaceAll(".", "%2E"),
      pair.token.replace(".", ".\u200b"),
      `\ufeff${pair.token}`,
      `${pair.token}\u200d`,
      `${pair.token}\ud800`,
      pair.token.replace("e", "\u0435"),
    ],
  ],
  [
    "J46",
    "more than 4,096 bytes, correctly signed",
    [withLength(4_097), withLength(65_536), withLength(1_000_000), withHeader({ kid: "k".repeat(6_000) })],
  ],
  [
    "J47",
    "a header that is nested deeply",
    [
      `${encode(`{"alg":${"[".repeat(900)}${"]".repeat(900)}}`)}.${body}.${signature}`,
      `${encode(`${"[".repeat(10_000)}${"]".repeat(10_000)}`)}.${body}.${signature}`,
    ],
  ],
  [
    "J48",
    "the JSON form of a JWS",
    [
      JSON.stringify({ protected: head, payload: body, signature }),
      JSON.stringify({ payload: body, signatures: [{ protected: head, signature }] }),
    ],
  ],
  [
    "J49",
    "tokens of another environment with the same key",
    [
      withClaims({ iss: "https://staging.example.com" }),
      withClaims({ aud: "other" }),
      withClaims({ iss: "https://staging.example.com", aud: "other" }),
    ],
  ],
  ["J50", "a refresh token", [refreshToken, `${refreshToken}.${refreshToken}.${refreshToken}`]],
  [
    "J51",
    "halves of two tokens",
    [
      `${head}.${stranger.token.split(".")[1]}.${signature}`,
      `${head}.${body}.${stranger.token.split(".")[2]}`,
      `${head}.${encode({ ...claims, sub: stranger.claims.sub })}.${signature}`,
      `${head}.${encode({ ...claims, exp: claims.exp + 900 })}.${signature}`,
    ],
  ],
  [
    "J53",
    "other members in the header",
    [
      { zip: "DEF" },
      { cty: "JWT" },
      { foo: "bar" },
      { enc: "A256GCM" },
      { p2c: 1_000_000_000 },
      { nonce: "x" },
      { url: away },
      { "": 1 },
      { Alg: "none" },
    ].map(withHeader),
  ],
  ["J53", "a nested token", [buildToken({ ...header, cty: "JWT" }, pair.token, ours), withText(pair.token)]],
];

describe("a forged or malformed access token is refused everywhere, and nobody is asked", () => {
  test.each(forged)("%s %s", async (_, __, tokens) => {
    expect(tokens.length).toBeGreaterThan(0);
    for (const token of tokens) await expectRefusedEverywhere(token);
    expect(heard).toBe(0);
    await service.expectControlUnharmed();
    expect((await sandbox.movies({ cookies: pair.cookies })).statusCode).toBe(200);
  });

  test("J37 every bit of the signature matters", async () => {
    const bytes = Buffer.from(signature, "base64url");
    expect(bytes).toHaveLength(64);
    for (let bit = 0; bit < 512; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await expectRefusedEverywhere(`${head}.${body}.${flipped.toString("base64url")}`);
    }
  });

  test("J37 every letter of header and claims matters", async () => {
    const letters = [...`${head}.${body}`].keys();
    for (const at of letters) {
      if (pair.token[at] === ".") continue;
      const other = pair.token[at] === "A" ? "B" : "A";
      await expectRefusedEverywhere(`${pair.token.slice(0, at)}${other}${pair.token.slice(at + 1)}`);
    }
  });

  test("J52 the kid of one key with the signature of another, both ours", async () => {
    const second = createKey("EdDSA");
    const both = service.createSandbox(keySettings(signingKey, second));
    const swapped = [
      buildToken({ ...header, kid: second.kid }, claims, ours),
      buildToken(header, claims, signerOf(second)),
    ];
    for (const token of swapped) await expectRefusedEverywhere(token, both);
    const good = buildToken({ ...header, kid: second.kid }, claims, signerOf(second));
    expectJson(await both.movies({ headers: { authorization: `Bearer ${good}` } }), 200, [
      "Avatar",
      "Avengers",
    ]);
    await expectRefusedEverywhere(good);
  });

  test("J52 an algorithm of one key with another key, both ours", async () => {
    const rsa = createKey("RS256");
    const both = service.createSandbox(keySettings(signingKey, rsa));
    for (const token of [
      buildToken({ ...header, alg: "RS256" }, claims, signerOf(rsa)),
      buildToken({ ...header, kid: rsa.kid }, claims, signerOf(rsa)),
      buildToken({ ...header, kid: rsa.kid, alg: "PS256" }, claims, signerOf(rsa)),
      buildToken({ ...header, kid: rsa.kid, alg: "HS256" }, claims, hmac(rsa.n ?? "")),
    ]) {
      await expectRefusedEverywhere(token, both);
    }
  });
});

describe("an access token is accepted", () => {
  const bearer = (token: string) => sandbox.me({ headers: { authorization: `Bearer ${token}` } });
  const fresh = () => ({ ...claims, iat: clock.now, exp: clock.now + 900 });

  test("J24 with our audience among others", async () => {
    const token = buildToken(header, { ...fresh(), aud: ["web", "api"] }, ours);
    expect(bodyOf(await bearer(token)).aud).toEqual(["web", "api"]);
  });

  test("J46 with up to 4,096 bytes", async () => {
    const token = withLength(4_095, fresh());
    expect(token.length).toBeLessThanOrEqual(4_096);
    expect((await bearer(token)).statusCode).toBe(200);
  });

  test.each(["AT+JWT", "At+Jwt", "application/at+jwt"])("J22 with the typ %s", async (typ) => {
    expect((await bearer(buildToken({ ...header, typ }, fresh(), ours))).statusCode).toBe(200);
  });

  test("J33 with a claim twice, and every reader sees the last one", async () => {
    const text = JSON.stringify(fresh()).replace('{"', `{"sub":"${stranger.claims.sub}","`);
    expect(bodyOf(await bearer(buildToken(header, text, ours))).sub).toBe(claims.sub);
    const past = JSON.stringify({ ...fresh(), exp: 1 });
    const twice = `${past.slice(0, -1)},"exp":${clock.now + 900}}`;
    expect(bodyOf(await bearer(buildToken(header, twice, ours))).exp).toBe(clock.now + 900);
    const text2 = JSON.stringify(fresh());
    expectProblem(
      await bearer(buildToken(header, `${text2.slice(0, -1)},"exp":1}`, ours)),
      refusals.invalidToken,
    );
  });

  test("J33 with alg twice, if the last one is the key's", async () => {
    const text = JSON.stringify(header);
    const first = buildToken(`{"alg":"none",${text.slice(1)}`, fresh(), ours);
    expect((await bearer(first)).statusCode).toBe(200);
    for (const alg of ["none", "HS256"]) {
      const last = buildToken(`${text.slice(0, -1)},"alg":"${alg}"}`, fresh(), ours);
      expectProblem(await bearer(last), refusals.invalidToken);
    }
  });
});

test("J32 R30 a genuine token reaches the session of exactly its user and its session id", async () => {
  const victim = await service.logIn();
  const times = { iat: clock.now, exp: clock.now + 900 };
  for (const [sub, sid] of [
    [stranger.claims.sub, victim.claims.sid],
    [`${victim.claims.sub}#${victim.claims.sid}`, victim.claims.sid],
    [`${victim.claims.sub}\0`, victim.claims.sid],
    [victim.claims.sub, `${victim.claims.sid} `],
    [victim.claims.sub.toUpperCase(), victim.claims.sid],
  ]) {
    const token = buildToken(header, { ...victim.claims, ...times, sub, sid }, ours);
    const cookies = [cookieOf({ token, refreshToken: victim.refreshToken })];
    await expectRequests(["UpdateItem sessions"], async () => {
      expectProblem(await sandbox.refresh({ cookies }), refusals.tokenExpired);
    });
  }
  expect((await service.refresh(victim)).statusCode).toBe(200);
});

/** Adds the group order to the S of an Ed25519 signature (RFC 8032, section 5.1.7: S must be below it). */
function malleate(text: string): string {
  const bytes = Buffer.from(text, "base64url");
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const s = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString("hex")}`) + order;
  const hex = s.toString(16).padStart(64, "0");
  return Buffer.concat([bytes.subarray(0, 32), Buffer.from(hex, "hex").reverse()]).toString("base64url");
}
