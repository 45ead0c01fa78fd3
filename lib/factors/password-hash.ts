import { argon2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { AppError } from "../errors.ts";

/** Parameters of argon2id (RFC 9106): memory in KiB, passes, lanes. */
interface Parameters {
  memory: number;
  passes: number;
  parallelism: number;
}

/** The OWASP Password Storage floor; raise it and every user is re-hashed at the next login. */
const current: Parameters = { memory: 19_456, passes: 2, parallelism: 1 };
/** Above these a stored hash is refused without being computed: somebody wrote it who was not us. */
const limits: Parameters = { memory: 262_144, passes: 10, parallelism: 4 };
const saltLength = 16;
const tagLength = 32;

/** PHC string format with a 16-byte salt and a 32-byte tag, base64 without padding. */
const phc =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{21}[AQgw])\$([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048])$/;

const derive = promisify(argon2);

/** Hashes a password with argon2id and a random salt; returns a PHC string. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltLength);
  return formatPhc(current, salt, await deriveTag(password, salt, current));
}

/**
 * Answers whether the password is the one behind a stored PHC string.
 * Without a string (unknown user) it computes just as long and answers no. Throws AppError `unavailable` for a
 * string that is not ours or demands absurd work.
 */
export async function verifyPassword(stored: string | undefined, password: string): Promise<boolean> {
  const { parameters, salt, tag } = stored === undefined ? dummy : parsePhc(stored);
  const isSame = timingSafeEqual(tag, await deriveTag(password, salt, parameters));
  return isSame && stored !== undefined;
}

/** Answers whether two typed passwords are the same one (NFKC). */
export function isSamePassword(a: string, b: string): boolean {
  return a.normalize("NFKC") === b.normalize("NFKC");
}

/** Answers whether a stored PHC string is weaker than what new passwords get. */
export function needsRehash(stored: string): boolean {
  const { memory, passes, parallelism } = parsePhc(stored).parameters;
  return memory < current.memory || passes < current.passes || parallelism < current.parallelism;
}

const dummy = { parameters: current, salt: randomBytes(saltLength), tag: randomBytes(tagLength) };

/** NFKC, so that a password typed on another keyboard or system is the same password (NIST SP 800-63B-4). */
function deriveTag(
  password: string,
  salt: Buffer,
  { memory, passes, parallelism }: Parameters,
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

function formatPhc({ memory, passes, parallelism }: Parameters, salt: Buffer, tag: Buffer): string {
  const encode = (bytes: Buffer) => bytes.toString("base64").replace(/=+$/, "");
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${encode(salt)}$${encode(tag)}`;
}

function parsePhc(text: string) {
  const match = phc.exec(text);
  if (!match) throw damaged("is not an argon2id PHC string of this service");
  const [memory, passes, parallelism] = match.slice(1, 4).map(Number) as [number, number, number];
  const isSane =
    passes >= 1 &&
    parallelism >= 1 &&
    memory >= 8 * parallelism &&
    memory <= limits.memory &&
    passes <= limits.passes &&
    parallelism <= limits.parallelism;
  if (!isSane) throw damaged("has parameters outside the limits");
  const [salt, tag] = match.slice(4).map((part) => Buffer.from(part, "base64")) as [Buffer, Buffer];
  return { parameters: { memory, passes, parallelism }, salt, tag };
}

function damaged(how: string): AppError {
  return new AppError("unavailable", { cause: new TypeError(`a stored password hash ${how}`) });
}
