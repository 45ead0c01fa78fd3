import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "@jest/globals";
import { CompactSign, compactVerify } from "jose";
import { findKeyActiveAt } from "./key-set.ts";
import {
  findUnpublishedKids,
  importSigningKeys,
  importVerificationKeys,
  type OurJwk,
  parsePrivateKeySet,
  parsePublicKeySet,
  toPublicJwk,
} from "./keys.ts";

const made = {
  EdDSA: generateKeyPairSync("ed25519"),
  ES256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
  RS256: generateKeyPairSync("rsa", { modulusLength: 2048 }),
};
const algorithms = Object.keys(made) as (keyof typeof made)[];

/** A private key of ours. */
function privateJwk(alg: keyof typeof made, kid = `${alg}-1`): OurJwk {
  return { ...made[alg].privateKey.export({ format: "jwk" }), kid, alg, activeFrom: 1000 } as OurJwk;
}

const publicJwk = (alg: keyof typeof made, kid?: string) => toPublicJwk(privateJwk(alg, kid));
const set = (...keys: unknown[]) => JSON.stringify({ keys });

const parse = { public: parsePublicKeySet, private: parsePrivateKeySet };

/** The message of the refusal. */
function faultsOf(text: string, kind: "public" | "private"): string {
  try {
    return `accepted: ${parse[kind](text)}`;
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return (error as TypeError).message;
  }
}

test("keys of all three algorithms are accepted, public and private", () => {
  const publicKeys = algorithms.map((alg) => publicJwk(alg));
  expect(parsePublicKeySet(set(...publicKeys))).toEqual(publicKeys);
  const privateKeys = algorithms.map((alg) => privateJwk(alg));
  expect(parsePrivateKeySet(set(...privateKeys))).toEqual(privateKeys);
});

test.each(algorithms)("%s: what a signing key signs, its published half verifies", async (alg) => {
  const [signing] = await importSigningKeys([privateJwk(alg)]);
  const verification = (await importVerificationKeys([publicJwk(alg)])).get(`${alg}-1`);
  expect(signing).toMatchObject({ alg, kid: `${alg}-1`, activeFrom: 1000 });
  expect(verification?.alg).toBe(alg);
  if (!signing || !verification) throw new Error("keys are missing");
  // Nobody can read it out again.
  expect(signing.key.extractable).toBe(false);
  const jws = await new CompactSign(Buffer.from("text")).setProtectedHeader({ alg }).sign(signing.key);
  const { payload } = await compactVerify(jws, verification.key, { algorithms: [alg] });
  expect(Buffer.from(payload).toString()).toBe("text");
});

test("the newest key that is active signs, in whatever order they stand", async () => {
  const at = (activeFrom: number) => ({ ...privateJwk("EdDSA", `from-${activeFrom}`), activeFrom });
  for (const first of [10, 20, 30]) {
    const keys = await importSigningKeys([first, ...[30, 20, 10].filter((time) => time !== first)].map(at));
    const kids = [9, 10, 19, 20, 30, 99].map((time) => findKeyActiveAt(time, keys)?.kid);
    expect(kids).toEqual([undefined, "from-10", "from-10", "from-20", "from-30", "from-30"]);
  }
});

test("a private set may hold keys that are only published, which do not sign; key_ops may allow use", async () => {
  const { activeFrom: _, ...waiting } = privateJwk("ES256");
  const keys = [privateJwk("EdDSA"), waiting, { ...privateJwk("RS256"), key_ops: ["sign"] }];
  expect(parsePrivateKeySet(set(...keys))).toEqual(keys);
  const signing = await importSigningKeys([waiting as OurJwk, privateJwk("EdDSA")]);
  expect(signing.map(({ kid }) => kid)).toEqual(["EdDSA-1"]);
  const verifying = { ...publicJwk("EdDSA"), key_ops: ["verify"] };
  expect(parsePublicKeySet(set(verifying))).toEqual([verifying]);
});

test("J54 a kid is looked up among the keys only; a key whose members do not fit together is refused", async () => {
  const keys = await importVerificationKeys([publicJwk("EdDSA")]);
  for (const kid of ["__proto__", "constructor", "toString", ""]) expect(keys.get(kid)).toBeUndefined();
  const broken = { ...publicJwk("ES256"), y: publicJwk("ES256").x } as OurJwk;
  await expect(importVerificationKeys([broken])).rejects.toThrow("the key ES256-1 is not valid");
});

test("what is published of a key is its public members, kid, alg and use", () => {
  const members = { EdDSA: ["crv", "x"], ES256: ["crv", "x", "y"], RS256: ["e", "n"] };
  for (const alg of algorithms) {
    const jwk = { ...privateJwk(alg), retireAfter: 1, publishedAt: 1, key_ops: ["sign"], x5c: ["x"] };
    const published = [...members[alg], "alg", "kid", "kty", "use"];
    expect(Object.keys(toPublicJwk(jwk)).toSorted()).toEqual(published.toSorted());
  }
});

test("a signing key is unpublished unless its very key stands under its kid", () => {
  const keys = [privateJwk("EdDSA", "a"), privateJwk("ES256", "b")];
  const [first, second] = keys.map(toPublicJwk) as [OurJwk, OurJwk];
  expect(findUnpublishedKids(keys, [first, second])).toEqual([]);
  expect(findUnpublishedKids(keys, [])).toEqual(["a", "b"]);
  const other = { ...first, ...generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" }) } as OurJwk;
  for (const published of [[], [{ ...second, kid: "a" }], [other]])
    expect(findUnpublishedKids(keys, [...published, second])).toEqual(["a"]);
  // The mirrored point: half of the members are the same.
  expect(findUnpublishedKids(keys, [first, { ...second, y: "A".repeat(43) }])).toEqual(["b"]);
});

test.each([
  ["no JSON", ["hunter2", '{"keys":[{"d":"hunter2"']],
  ["another value", ["null", JSON.stringify([privateJwk("EdDSA")]), JSON.stringify(privateJwk("EdDSA"))]],
  ["no keys, or no list of them", ["{}", set(), '{"keys":{"0":{}}}']],
  ["keys that are no objects", [set("hunter2"), set(null), set(privateJwk("EdDSA"), "hunter2")]],
])("not a key set: %s", (_, texts) => {
  const fault = 'must be a JSON Web Key set: {"keys":[...]} with at least one key';
  for (const kind of ["public", "private"] as const)
    expect(texts.map((text) => faultsOf(text, kind))).toEqual(texts.map(() => fault));
});

const without = (jwk: OurJwk, name: string) => ({ ...jwk, [name]: undefined });
const rsa = (modulusLength: number, publicExponent = 65_537) =>
  generateKeyPairSync("rsa", { modulusLength, publicExponent }).publicKey.export({ format: "jwk" });

/** A modulus with the mark of CVE-2017-15361: modulo each small prime it is a power of 65537. */
function rocaKey() {
  let product = 1n;
  for (let prime = 2; prime <= 167; prime++) {
    if ([2, 3, 5, 7, 11, 13].every((small) => prime === small || prime % small > 0)) product *= BigInt(prime);
  }
  const modulus = product * (1n << 1900n) + 65_537n ** 5n;
  const hex = modulus.toString(16);
  const n = Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex").toString("base64url");
  return { kty: "RSA", n, e: "AQAB", kid: "a", alg: "RS256" };
}

const badKid = "kid must be 1 to 64 of A-Z a-z 0-9 . _ -";
const badAlg = "alg must be one of EdDSA, ES256, RS256";
const row = (name: string, jwk: Record<string, unknown>, fault: string): [string, object, string] => [
  `the ${name} ${jwk[name]}`,
  jwk,
  fault,
];
const badEdDsa = "EdDSA needs kty OKP and crv Ed25519";
const badRsa = "an RSA key needs at least 2048 bits and the exponent 65537";

test.each([
  ...[undefined, "", "a".repeat(65), "a b", 1].map((kid) =>
    row("kid", { ...publicJwk("EdDSA"), kid }, badKid),
  ),
  ...[undefined, "none", "RS384", "constructor", ["EdDSA"]].map((alg) =>
    row("alg", { ...publicJwk("EdDSA"), alg }, badAlg),
  ),
  ["alg HS256", { kty: "oct", k: "aHVudGVyMg", kid: "a", alg: "HS256" }, badAlg],
  ["another type than the alg", { ...publicJwk("ES256"), alg: "EdDSA" }, badEdDsa],
  ["another type of that curve", { ...publicJwk("EdDSA"), kty: "EC" }, badEdDsa],
  ["another curve", { ...publicJwk("ES256"), crv: "P-384" }, "ES256 needs kty EC and crv P-256"],
  ["a curve for RSA", { ...publicJwk("RS256"), crv: "P-256" }, "RS256 needs kty RSA"],
  ["X25519", { ...publicJwk("EdDSA"), crv: "X25519" }, badEdDsa],
  ["no x", without(publicJwk("EdDSA"), "x"), "x missing"],
  ["no y", without(publicJwk("ES256"), "y"), "x and y missing"],
  ["J54 RSA of 1024 bits", { ...rsa(1024), kid: "a", alg: "RS256" }, badRsa],
  ["J54 RSA of 2047 bits", { ...publicJwk("RS256"), n: `AH${"_".repeat(340)}` }, badRsa],
  ["J54 RSA with exponent 3", { ...rsa(2048, 3), kid: "a", alg: "RS256" }, badRsa],
  ["J54 RSA with exponent 1", { ...publicJwk("RS256"), e: "AQ" }, badRsa],
  ["J54 RSA of Infineon's", rocaKey(), "the RSA key can be factored (CVE-2017-15361)"],
  ["J54 a key for encryption", { ...publicJwk("RS256"), use: "enc" }, "use must be sig"],
  ["J54 other operations", { ...publicJwk("EdDSA"), key_ops: ["sign"] }, "key_ops must allow verify"],
])("a public key is refused: %s", (_, jwk, fault) => {
  expect(faultsOf(set(jwk), "public").split("; ")).toContain(`key 1: ${fault}`);
});

test.each([8, 16, 31, 32, 64, 0])("J55 a shared secret of %i bytes is refused like any other", (bytes) => {
  for (const alg of ["HS256", "HS384", "HS512", "EdDSA"]) {
    const jwk = {
      kty: "oct",
      k: Buffer.alloc(bytes, 90).toString("base64url"),
      kid: "a",
      alg,
      activeFrom: 0,
    };
    for (const kind of ["public", "private"] as const)
      expect(faultsOf(set(jwk), kind)).toMatch(/^key 1: (alg must be one of|EdDSA needs kty OKP)/);
  }
});

test.each(algorithms)("%s: a private member among the public keys is refused, whatever it holds", (alg) => {
  const refused = (name: string) => faultsOf(set({ ...publicJwk(alg), [name]: null }), "public");
  for (const name of ["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
    expect([name, refused(name)]).toEqual([name, "key 1: holds a private member"]);
});

test.each([
  ["a public key", publicJwk("EdDSA"), "key 1: d missing: not a private key; no key has an activeFrom"],
  ["a time as text", { ...privateJwk("EdDSA"), activeFrom: "0" }, "key 1: activeFrom must be whole seconds"],
  ["a time in parts", { ...privateJwk("EdDSA"), activeFrom: 0.5 }, "key 1: activeFrom must be whole seconds"],
  ["no time yet", without(privateJwk("EdDSA"), "activeFrom"), "no key has an activeFrom"],
  ["other operations", { ...privateJwk("EdDSA"), key_ops: ["verify"] }, "key 1: key_ops must allow sign"],
])("a private key is refused: %s", (_, jwk, faults) => {
  expect(faultsOf(set(jwk), "private")).toBe(faults);
});

test("everything wrong with a set is listed at once, by the place of the key", () => {
  const keys = [
    { ...publicJwk("EdDSA", "a"), use: "enc", d: "hunter2" },
    { ...publicJwk("ES256", "a"), alg: "hunter2" },
    without(publicJwk("RS256", "c"), "kid"),
  ];
  expect(faultsOf(set(...keys), "public").split("; ")).toEqual([
    ...["key 1: use must be sig", "key 1: holds a private member", `key 2: ${badAlg}`, `key 3: ${badKid}`],
    "two keys have one kid",
  ]);
});

test("one key with two kids is refused", () => {
  const twice = set(publicJwk("EdDSA", "a"), publicJwk("EdDSA", "b"));
  expect(faultsOf(twice, "public")).toBe("one key stands there twice");
});

test("no refusal quotes a private member", () => {
  const jwk = { ...privateJwk("EdDSA"), use: "hunter2", kty: "hunter2", crv: "hunter2", key_ops: "hunter2" };
  expect(faultsOf(set({ ...jwk, activeFrom: "hunter2", kid: "hunter2 " }), "private")).not.toMatch(/hunter2/);
  expect(faultsOf(set({ ...jwk }), "private")).not.toContain(jwk.d as string);
});
