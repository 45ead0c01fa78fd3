import { argon2Sync } from "node:crypto";
import { expect, test } from "@jest/globals";
import { hashPassword, needsRehash, verifyPassword } from "./password-hash.ts";
import { findHash } from "./phc-string.ts";

const password = "correct horse battery staple";
const salt = Buffer.from("00112233445566778899aabbccddeeff", "hex");

/** A PHC string made without the code under test; small parameters keep the suite quick. */
function makePhc(text: string, { memory = 64, passes = 1, parallelism = 1 } = {}): string {
  const work = { memory, passes, parallelism };
  const tag = argon2Sync("argon2id", { message: text, nonce: salt, ...work, tagLength: 32 });
  const encode = (bytes: Buffer) => bytes.toString("base64").replaceAll("=", "");
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${encode(salt)}$${encode(tag)}`;
}

test("a hashed password verifies, another does not", async () => {
  const stored = await hashPassword(password);
  expect(await verifyPassword(stored, password)).toBe(true);
  expect(await verifyPassword(stored, `${password} `)).toBe(false);
  expect(await verifyPassword(stored, "Correct horse battery staple")).toBe(false);
  expect(needsRehash(stored)).toBe(false);
});

test("a hash is a PHC string with the OWASP floor, a salt of its own, and nothing of the password", async () => {
  const hashes = [await hashPassword(password), await hashPassword(password)];
  for (const hash of hashes) {
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  }
  expect(new Set(hashes).size).toBe(2);
});

test.each([
  { memory: 19_456, passes: 2 },
  { memory: 64, passes: 3 },
  { memory: 128, parallelism: 4 },
])("a hash made elsewhere verifies with its own parameters: %j", async (parameters) => {
  const stored = makePhc(password, parameters);
  expect(await verifyPassword(stored, password)).toBe(true);
  expect(await verifyPassword(stored, "something else")).toBe(false);
});

test.each([
  ["A14 composed and decomposed", "caf\u00e9 au lait, s'il vous", "cafe\u0301 au lait, s'il vous"],
  ["A14 full width and ASCII", "ｐａｓｓ phrase of mine", "pass phrase of mine"],
])("one password: %s", async (_, one, other) => {
  const stored = makePhc(one.normalize("NFKC"));
  for (const typed of [one, other]) expect(await verifyPassword(stored, typed)).toBe(true);
});

test.each([
  ["A11 more than 72 bytes", `${"x".repeat(72)}a`, `${"x".repeat(72)}b`],
  ["A15 a blank at the end", "passphrase", "passphrase "],
  ["A16 the case", "passphrase", "Passphrase"],
  ["a NUL and what follows", "pass\u0000phrase", "pass\u0000other"],
])("two passwords: %s", async (_, one, other) => {
  expect(await verifyPassword(makePhc(one), other)).toBe(false);
});

test("an unknown user's password never verifies", async () => {
  for (const text of [password, ""]) expect(await verifyPassword(undefined, text)).toBe(false);
});

const phc = makePhc(password);
const parts = phc.split("$");
const withParameters = (parameters: string) => parts.toSpliced(3, 1, parameters).join("$");
const work = ["m=64,t=11,p=1", "m=64,t=1,p=5", "m=64,t=0,p=1", "m=64,t=1,p=0"];

test.each([
  ["empty, or bcrypt", ["", "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"]],
  ["another algorithm", [phc.replace("argon2id", "argon2i")]],
  ["another version, or none", [phc.replace("v=19", "v=16"), parts.toSpliced(2, 1).join("$")]],
  ["odd parameters", ["t=1,m=64,p=1", "m=64,t=1,p=1,keyid=AA", "m=-64,t=1,p=1"].map(withParameters)],
  ["an odd tag", [`${phc}\n`, phc.slice(0, -1), `${phc}=`, phc.replace(/.$/, "9")]],
  ["odd memory", ["262145", "4194304", "1000000000", "0x40"].map((m) => withParameters(`m=${m},t=1,p=1`))],
  ["too many passes or lanes, or none", work.map(withParameters)],
  ["memory below 8 KiB a lane", [withParameters("m=31,t=1,p=4")]],
])("no hash of ours is a defect, and not computed: %s", async (_, hashes) => {
  for (const stored of hashes) {
    expect([stored, findHash(stored)]).toEqual([stored, undefined]);
    await expect(verifyPassword(stored, password)).rejects.toThrow("stored password hash is none of ours");
    expect(() => needsRehash(stored)).toThrow(TypeError);
  }
});

test.each([
  [{ memory: 19_455, passes: 2, parallelism: 1 }, true],
  [{ memory: 19_456, passes: 1, parallelism: 1 }, true],
  [{ memory: 19_456, passes: 2, parallelism: 1 }, false],
  [{ memory: 262_144, passes: 10, parallelism: 4 }, false],
  [{ memory: 262_144, passes: 1, parallelism: 4 }, true],
])("a hash with %j is weaker than today's: %p", ({ memory, passes, parallelism }, isWeaker) => {
  expect(needsRehash(withParameters(`m=${memory},t=${passes},p=${parallelism}`))).toBe(isWeaker);
});
