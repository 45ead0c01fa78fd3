/** Parameters of argon2id (RFC 9106): memory in KiB, passes, lanes. */
export interface Argon2Parameters {
  memory: number;
  passes: number;
  parallelism: number;
}

/** Above these a stored hash is refused without being computed: somebody wrote it who was not us. */
const limits: Argon2Parameters = { memory: 262_144, passes: 10, parallelism: 4 };

/** PHC string format with a 16-byte salt and a 32-byte tag, base64 without padding. */
const shape =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{21}[AQgw])\$([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048])$/;

/** What a stored hash was computed with, and what came of it. */
export interface ParsedHash {
  parameters: Argon2Parameters;
  salt: Buffer;
  tag: Buffer;
}

/** Reads an argon2id PHC string of this service; undefined if it is none, or demands absurd work. */
export function findHash(text: string): ParsedHash | undefined {
  const [, ...parts] = shape.exec(text) ?? [];
  if (parts.length === 0) return undefined;
  const [memory, passes, parallelism] = parts.slice(0, 3).map(Number) as [number, number, number];
  const isSane =
    passes >= 1 &&
    parallelism >= 1 &&
    memory >= 8 * parallelism &&
    memory <= limits.memory &&
    passes <= limits.passes &&
    parallelism <= limits.parallelism;
  if (!isSane) return undefined;
  const [salt, tag] = parts.slice(3).map((part) => Buffer.from(part, "base64")) as [Buffer, Buffer];
  return { parameters: { memory, passes, parallelism }, salt, tag };
}

/** How hashes of other systems begin, with which accounts may have been imported (foreign-hash.ts). */
const foreign = /^\$(2[aby]|argon2i|argon2id|scrypt|fbscrypt|pbkdf2-sha(256|512))\$/;

/** Answers whether a text can be the stored hash of a password: one of ours, or one that login verifies and replaces. */
export const isStoredHash = (text: string): boolean => findHash(text) !== undefined || foreign.test(text);

/** Writes a hash as a PHC string. */
export function formatHash({ parameters: { memory, passes, parallelism }, salt, tag }: ParsedHash): string {
  const encode = (bytes: Buffer) => bytes.toString("base64").replace(/=+$/, "");
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${encode(salt)}$${encode(tag)}`;
}
