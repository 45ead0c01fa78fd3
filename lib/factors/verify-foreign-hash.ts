import { argon2, createCipheriv, pbkdf2, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { compare } from "bcryptjs";
import { type ForeignHash, parseForeignHash } from "./foreign-hash.ts";

// Beside the bundles of functions that verify passwords, and loaded when the first such hash is met: stored-password.ts.

/** What bcrypt reads of a password: all that have these bytes in common are one to it. */
const bcryptBytes = 72;

/**
 * Answers whether the password is the one behind the stored hash of another system – `cut`: or another one that begins with
 * the same 72 bytes. As it was typed, and then in NFKC: systems differ. `unknown`: it is no such hash, or demands absurd work, and
 * was not computed.
 */
export default async function verifyForeignHash(
  stored: string,
  password: string,
): Promise<"no" | "yes" | "cut" | "unknown"> {
  const hash = parseForeignHash(stored);
  if (!hash) return "unknown";
  for (const text of new Set([password, password.normalize("NFKC")])) {
    if (!(await isOf(hash, text))) continue;
    return hash.is === "bcrypt" && Buffer.byteLength(text) > bcryptBytes ? "cut" : "yes";
  }
  return "no";
}

async function isOf(hash: ForeignHash, text: string): Promise<boolean> {
  if (hash.is === "bcrypt") return compare(text, hash.text);
  return timingSafeEqual(hash.tag, await derive(hash, text));
}

const derivePbkdf2 = promisify(pbkdf2);
const deriveArgon2 = promisify(argon2);
const deriveScrypt = promisify(
  (
    text: string,
    salt: Buffer,
    length: number,
    work: object,
    done: (error: Error | null, key: Buffer) => void,
  ) => scrypt(text, salt, length, { ...work, maxmem: 2 ** 27 }, done),
);

async function derive(hash: Exclude<ForeignHash, { is: "bcrypt" }>, text: string): Promise<Buffer> {
  const { salt, tag } = hash;
  switch (hash.is) {
    case "pbkdf2":
      return derivePbkdf2(text, salt, hash.rounds, tag.length, hash.digest);
    case "scrypt":
      return deriveScrypt(text, salt, tag.length, { N: hash.cost, r: hash.blockSize, p: hash.parallelism });
    case "fbscrypt": {
      const key = await deriveScrypt(text, salt, 32, { N: hash.cost, r: hash.blockSize, p: 1 });
      const cipher = createCipheriv("aes-256-ctr", key, Buffer.alloc(16));
      const sealed = Buffer.concat([cipher.update(hash.signerKey), cipher.final()]);
      return sealed.length === tag.length ? sealed : Buffer.alloc(tag.length);
    }
    default: {
      const { is, memory, passes, parallelism } = hash;
      return deriveArgon2(is, {
        message: text,
        nonce: salt,
        memory,
        passes,
        parallelism,
        tagLength: tag.length,
      });
    }
  }
}
