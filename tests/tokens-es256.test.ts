import { createPublicKey, generateKeyPairSync, type JsonWebKeyInput, sign } from "node:crypto";
import { expect, test } from "@jest/globals";
import { expectProblem, refusals } from "./support/answer.ts";
import { createForgery, hmac, spareBits } from "./support/forgery.ts";
import { createKey, keySettings, publicKey } from "./support/keys.ts";
import { cookieOf } from "./support/pair.ts";
import { startService } from "./support/service.ts";
import { buildToken, secretsOf, signerOf } from "./support/token.ts";

const service = await startService();
const { pair, expectRefusedEverywhere } = await createForgery(service);
const { claims } = pair;

const key = createKey("ES256");
const elliptic = service.createSandbox(keySettings(key));
const es256 = { alg: "ES256", typ: "at+jwt", kid: key.kid };
const token = buildToken(es256, claims, signerOf(key));
const input = token.slice(0, token.lastIndexOf("."));
/** The order of P-256. */
const n = BigInt("0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");

test("the token that the others are made of is accepted", async () => {
  expect((await elliptic.movies({ headers: { authorization: `Bearer ${token}` } })).statusCode).toBe(200);
});

test("J38 r and s of 0, 1, n-1 and n are refused", async () => {
  const numbers = [0n, 1n, n - 1n, n].map((x) => Buffer.from(x.toString(16).padStart(64, "0"), "hex"));
  for (const r of numbers) {
    for (const s of numbers) {
      await expectRefusedEverywhere(`${input}.${Buffer.concat([r, s]).toString("base64url")}`, elliptic);
    }
  }
});

test("J39 a signature in DER form is refused", async () => {
  const bytes = Buffer.from(token.slice(input.length + 1), "base64url");
  const integer = (part: Buffer) => {
    const value = part[0] && part[0] > 127 ? Buffer.concat([Buffer.of(0), part]) : part;
    return Buffer.concat([Buffer.of(2, value.length), value]);
  };
  const both = Buffer.concat([integer(bytes.subarray(0, 32)), integer(bytes.subarray(32))]);
  const der = Buffer.concat([Buffer.of(0x30, both.length), both]);
  for (const text of ["MAYCAQACAQA", der.toString("base64url")]) {
    await expectRefusedEverywhere(`${input}.${text}`, elliptic);
  }
});

test("J05 J40 J42 a signature of another length or form is refused", async () => {
  const good = token.slice(input.length + 1);
  const bytes = Buffer.from(good, "base64url");
  const lengths = [0, 1, 63, 65, 96, 132].map((length) =>
    Buffer.concat([bytes, Buffer.alloc(132)])
      .subarray(0, length)
      .toString("base64url"),
  );
  for (const text of [...lengths, ...spareBits(good, 4)]) {
    await expectRefusedEverywhere(`${input}.${text}`, elliptic);
  }
});

test("J07 J10 HS256 with the public key, and other algorithms, are refused", async () => {
  const secrets = secretsOf(createPublicKey({ key: publicKey(key), format: "jwk" } as JsonWebKeyInput));
  for (const secret of secrets) {
    await expectRefusedEverywhere(buildToken({ ...es256, alg: "HS256" }, claims, hmac(secret)), elliptic);
  }
  for (const alg of ["ES384", "ES256K", "ES512", "EdDSA", "RS256"]) {
    await expectRefusedEverywhere(buildToken({ ...es256, alg }, claims, signerOf(key)), elliptic);
  }
});

test("J10 a signature with a key of another curve is refused", async () => {
  const curve = generateKeyPairSync("ec", { namedCurve: "secp256k1" });
  const signer = (input: Buffer) =>
    sign("sha256", input, { key: curve.privateKey, dsaEncoding: "ieee-p1363" });
  for (const alg of ["ES256", "ES256K"]) {
    await expectRefusedEverywhere(buildToken({ ...es256, alg }, claims, signer), elliptic);
  }
});

test("J41 the other signature with the same r brings no ended session back", async () => {
  const pair = await service.logIn({ as: elliptic, account: await service.register() });
  const mirrored = {
    ...pair,
    cookies: [cookieOf({ token: mirror(pair.token), refreshToken: pair.refreshToken })],
  };
  const call = () =>
    elliptic.changePassword({
      cookies: mirrored.cookies,
      body: { currentPassword: "not the right password", newPassword: "another private sentence" },
    });
  // Both verify: a signature of ECDSA is one of two. Nothing here goes by a token's text.
  expect((await elliptic.movies({ cookies: mirrored.cookies })).statusCode).toBe(200);
  expectProblem(await call(), refusals.wrongPassword);
  await elliptic.logout({ cookies: pair.cookies });
  expectProblem(await call(), refusals.invalidToken);
  expectProblem(await service.refresh(mirrored, { as: elliptic }), refusals.tokenExpired);
});

/** Replaces s of an ES256 signature by n - s. */
function mirror(token: string): string {
  const at = token.lastIndexOf(".") + 1;
  const bytes = Buffer.from(token.slice(at), "base64url");
  const s = n - BigInt(`0x${bytes.subarray(32).toString("hex")}`);
  const other = Buffer.from(s.toString(16).padStart(64, "0"), "hex");
  return token.slice(0, at) + Buffer.concat([bytes.subarray(0, 32), other]).toString("base64url");
}
