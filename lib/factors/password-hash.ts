import { argon2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { type Argon2Parameters, findHash, formatHash, type ParsedHash } from "./phc-string.ts";

/** The OWASP Password Storage floor; raise it and every user is re-hashed at the next login. */
const current: Argon2Parameters = { memory: 19_456, passes: 2, parallelism: 1 };
const saltLength = 16;
const tagLength = 32;

const derive = promisify(argon2);

/** Hashes a password with argon2id and a random salt; returns a PHC string. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltLength);
  return formatHash({ parameters: current, salt, tag: await deriveTag(password, salt, current) });
}

/**
 * Answers whether the password is the one behind a stored PHC string.
 * Without a string (unknown user) it computes just as long and answers no. Throws TypeError for a string that is not
 * ours; the store of accounts lets none through.
 */
export async function verifyPassword(stored: string | undefined, password: string): Promise<boolean> {
  const { parameters, salt, tag } = stored === undefined ? dummy : parseHash(stored);
  const isSame = timingSafeEqual(tag, await deriveTag(password, salt, parameters));
  return isSame && stored !== undefined;
}

/** Answers whether two typed passwords are the same one (NFKC). */
export function isSamePassword(a: string, b: string): boolean {
  return a.normalize("NFKC") === b.normalize("NFKC");
}

/** Answers whether a stored PHC string is weaker than what new passwords get. */
export function needsRehash(stored: string): boolean {
  const { memory, passes, parallelism } = parseHash(stored).parameters;
  return memory < current.memory || passes < current.passes || parallelism < current.parallelism;
}

const dummy: ParsedHash = { parameters: current, salt: randomBytes(saltLength), tag: randomBytes(tagLength) };

/** NFKC, so that a password typed on another keyboard or system is the same password (NIST SP 800-63B-4). */
function deriveTag(
  password: string,
  salt: Buffer,
  { memory, passes, parallelism }: Argon2Parameters,
): Promise<Buffer> {
  return derive("argon2id", {
    message: password.normalize("NFKC"),
    nonce: salt,
    memory,
    passes,
    parallelism,
    tagLength,
  });
}

function parseHash(stored: string): ParsedHash {
  const hash = findHash(stored);
  if (!hash) throw new TypeError("a stored password hash is none of ours");
  return hash;
}
