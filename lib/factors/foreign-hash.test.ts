import { argon2Sync, pbkdf2Sync, scryptSync } from "node:crypto";
import { expect, test } from "@jest/globals";
import { parseForeignHash } from "./foreign-hash.ts";
import verifyForeignHash from "./verify-foreign-hash.ts";

const password = "correct horse battery staple";
const salt = Buffer.from("00112233445566778899aabb", "hex");
const encode = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64").replaceAll("=", "");
const form = (head: string, tag: Uint8Array, salted: Uint8Array = salt) =>
  `$${head}$${encode(salted)}$${encode(tag)}`;
const scryptOf = (text: string, salted: Uint8Array, work = { N: 16_384, r: 16, p: 1, maxmem: 2 ** 26 }) =>
  form("scrypt$ln=14,r=16,p=1", scryptSync(text, salted, 64, work), salted);
/** The vector that Firebase has published (github.com/firebase/scrypt). */
const firebase =
  "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==";

// bcrypt: vectors of Openwall's crypt_blowfish, whose prefix says nothing of how these are computed.
test.each([
  ["U10 bcrypt $2a$", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"],
  ["U10 bcrypt $2b$", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK", "U*U*"],
  ["U10 bcrypt $2y$", "$2y$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", "U*U*U"],
  ["U12 Firebase", firebase, "user1password"],
  [
    "U12 scrypt, as better-auth has it: the salt is a text of hex, the password NFKC",
    scryptOf("pass 1", Buffer.from("00ff")),
    "ｐａｓｓ １",
  ],
  ["scrypt of what was typed, which NFKC changes", scryptOf("ｐａｓｓ", salt), "ｐａｓｓ"],
  [
    "PBKDF2 with SHA-256",
    form("pbkdf2-sha256$i=10000", pbkdf2Sync(password, salt, 10_000, 32, "sha256")),
    password,
  ],
  [
    "PBKDF2 with SHA-512",
    form("pbkdf2-sha512$i=10000", pbkdf2Sync(password, salt, 10_000, 64, "sha512")),
    password,
  ],
  ...(["argon2i", "argon2id"] as const).map((is): [string, string, string] => [
    `${is} with other lengths`,
    form(
      `${is}$v=19$m=64,t=3,p=2`,
      argon2Sync(is, {
        message: password,
        nonce: salt,
        memory: 64,
        passes: 3,
        parallelism: 2,
        tagLength: 24,
      }),
    ),
    password,
  ]),
])("%s: the password verifies, and another does not", async (_, stored, text) => {
  expect(await verifyForeignHash(stored, text)).toBe("yes");
  expect(await verifyForeignHash(stored, `${text}!`)).toBe("no");
});

test("U11 bcrypt takes the first 72 bytes, and says so", async () => {
  const stored = "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui";
  const seen = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  expect(await verifyForeignHash(stored, seen)).toBe("yes");
  expect(await verifyForeignHash(stored, `${seen}chars after 72 are ignored`)).toBe("cut");
  expect(await verifyForeignHash(stored, seen.slice(1))).toBe("no");
});

test("U12 Firebase with another signer key is another password", async () => {
  expect(await verifyForeignHash(firebase.replace("sk=jx", "sk=jy"), "user1password")).toBe("no");
});

const tag = Buffer.alloc(32, 1);
test.each([
  ["U10 bcrypt of cost 3", "$2b$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"],
  ["U10 bcrypt of cost 14", "$2b$14$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"],
  ["U10 bcrypt of cost 31", "$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"],
  ["U13 bcrypt without a hash", "$2b$10$"],
  ["U13 a hash that is cut off", firebase.slice(0, -80)],
  ["U13 p of 0", form("scrypt$ln=14,r=8,p=0", tag)],
  ["U13 N of 2^30", form("scrypt$ln=30,r=8,p=1", tag)],
  ["U13 scrypt of next to no work", form("scrypt$ln=04,r=8,p=1", tag)],
  ["U13 three million rounds", form("pbkdf2-sha256$i=3000000", tag)],
  ["U13 a hundred rounds", form("pbkdf2-sha256$i=100", tag)],
  ["U13 argon2 of a gigabyte", form("argon2id$v=19$m=1048576,t=1,p=1", tag)],
  ["U13 argon2d", form("argon2d$v=19$m=65536,t=3,p=4", tag)],
  ["U13 a tag of eight bytes", form("pbkdf2-sha256$i=600000", tag.subarray(0, 8))],
  ["U13 a megabyte", form("pbkdf2-sha256$i=600000", Buffer.alloc(786_432, 1))],
  ["U13 MD5", "5f4dcc3b5aa765d61d8327deb882cf99"],
  ["U13 md5-crypt", "$1$5O3XyXYZ$JkLmNopQrStUvWxYz01234"],
  ["U13 PBKDF2 with SHA-1", form("pbkdf2-sha1$i=600000", tag)],
])("%s is refused unrun", async (_, stored) => {
  expect(parseForeignHash(stored)).toBeUndefined();
  expect(await verifyForeignHash(stored, password)).toBe("unknown");
});
