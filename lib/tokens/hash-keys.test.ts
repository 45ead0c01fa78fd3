import { expect, test } from "@jest/globals";
import { importHashKeys, parseHashKeySet } from "./hash-keys.ts";

const key = { kty: "oct", k: "hunter2".padEnd(43, "A"), kid: "a", alg: "HS256", activeFrom: 1 };
const other = { ...key, kid: "b", k: "B".repeat(43) };
const parse = (...keys: object[]) => parseHashKeySet(JSON.stringify({ keys }));

test("a set of hash keys is parsed as it stands; those that are promoted are imported", () => {
  const { activeFrom, ...waiting } = other;
  const set = parse({ ...key, retireAfter: 9 }, { ...other, kid: "c", k: "C".repeat(64) }, waiting);
  expect(set.map(({ kid }) => kid)).toEqual(["a", "c", "b"]);
  expect(importHashKeys(set)).toEqual([
    { key: expect.anything(), activeFrom: 1, retireAfter: 9 },
    { key: expect.anything(), activeFrom: 1, retireAfter: Number.POSITIVE_INFINITY },
  ]);
  expect(importHashKeys(set)[0]?.key.export()).toEqual(Buffer.from(key.k, "base64url"));
});

test.each([
  ["a short secret", [{ ...key, k: "hunter2" }], "key 1: k must be 32 bytes or more, in base64url"],
  ["no secret", [{ ...key, k: undefined }], "key 1: k must be 32 bytes or more, in base64url"],
  [
    "a secret in base64",
    [{ ...key, k: `${"A".repeat(43)}=` }],
    "key 1: k must be 32 bytes or more, in base64url",
  ],
  ["another algorithm", [{ ...key, alg: "HS512" }], "key 1: must have kty oct and alg HS256"],
  ["a private key", [{ ...key, kty: "OKP" }], "key 1: must have kty oct and alg HS256"],
  ["an odd kid", [{ ...key, kid: "a b" }], "key 1: kid must be 1 to 64 of A-Z a-z 0-9 . _ -"],
  ["a time in parts", [{ ...key, retireAfter: 0.5 }], "key 1: retireAfter must be whole seconds"],
  ["one kid twice", [key, { ...other, kid: "a" }], "two keys have one kid"],
  ["one secret twice", [key, { ...key, kid: "b" }], "one key stands there twice"],
  ["no time yet", [{ ...key, activeFrom: undefined }], "no key has an activeFrom"],
])("a set is refused, and not quoted: %s", (_, keys, fault) => {
  expect(() => parse(...keys)).toThrow(new TypeError(fault));
});
