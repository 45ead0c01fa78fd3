import { createPrivateKey, type JsonWebKeyInput } from "node:crypto";
import { expect, test } from "@jest/globals";
import { calculateJwkThumbprint, type JWK } from "jose";
import { parseHashKeySet } from "../../lib/tokens/hash-keys.ts";
import { parsePrivateKeySet, parsePublicKeySet, toPublicJwk } from "../../lib/tokens/keys.ts";
import { generateHashKey, generateKey } from "./generate.ts";

const asKey = (jwk: JWK) => createPrivateKey({ key: jwk, format: "jwk" } as JsonWebKeyInput);

test.each([
  [undefined, "EdDSA", "ed25519", {}],
  ["EdDSA", "EdDSA", "ed25519", {}],
  ["ES256", "ES256", "ec", { namedCurve: "prime256v1" }],
  ["RS256", "RS256", "rsa", { modulusLength: 3_072, publicExponent: 65_537n }],
] as const)("for %s a key signs nothing yet", async (asked, alg, type, details) => {
  const jwk = await generateKey(asked);
  expect(jwk).toMatchObject({ alg, use: "sig", d: expect.any(String) });
  expect(jwk.activeFrom).toBeUndefined();
  expect(jwk.kid).toBe((await calculateJwkThumbprint(jwk)).slice(0, 8));
  expect(parsePrivateKeySet(JSON.stringify({ keys: [{ ...jwk, activeFrom: 1 }] }))).toHaveLength(1);
  expect(parsePublicKeySet(JSON.stringify({ keys: [toPublicJwk(jwk)] }))).toHaveLength(1);
  const key = asKey(jwk);
  expect([key.type, key.asymmetricKeyType]).toEqual(["private", type]);
  expect(key.asymmetricKeyDetails).toEqual(details);
  expect((await generateKey(asked)).d).not.toBe(jwk.d);
});

test("a hash key is 256 random bits that nothing is hashed with yet", async () => {
  const jwk = await generateHashKey();
  expect(jwk).toMatchObject({
    kty: "oct",
    alg: "HS256",
    use: "sig",
    k: expect.stringMatching(/^[\w-]{43}$/),
  });
  expect(jwk.activeFrom).toBeUndefined();
  expect(parseHashKeySet(JSON.stringify({ keys: [{ ...jwk, activeFrom: 1 }] }))).toHaveLength(1);
  expect((await generateHashKey()).k).not.toBe(jwk.k);
});
