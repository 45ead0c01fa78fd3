import { createPublicKey, type JsonWebKeyInput } from "node:crypto";
import { expect, test } from "@jest/globals";
import { createForgery, hmac, spareBits } from "./support/forgery.ts";
import { createKey, keySettings, publicKey } from "./support/keys.ts";
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

test("the token that the others are made of is accepted", async () => {
  expect((await elliptic.movies({ headers: { authorization: `Bearer ${token}` } })).statusCode).toBe(200);
});

test("J38 r and s of 0, 1, n-1 and n are refused", async () => {
  const n = BigInt("0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
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

test("J07 J09 HS256 with the public key, and other algorithms, are refused", async () => {
  const secrets = secretsOf(createPublicKey({ key: publicKey(key), format: "jwk" } as JsonWebKeyInput));
  for (const secret of secrets) {
    await expectRefusedEverywhere(buildToken({ ...es256, alg: "HS256" }, claims, hmac(secret)), elliptic);
  }
  for (const alg of ["ES384", "ES256K", "ES512", "EdDSA", "RS256"]) {
    await expectRefusedEverywhere(buildToken({ ...es256, alg }, claims, signerOf(key)), elliptic);
  }
});
