/** A slow hash of another system, of which an account was imported with its password. */
export type ForeignHash =
  | { is: "bcrypt"; text: string }
  | ({ is: "argon2i" | "argon2id"; memory: number; passes: number; parallelism: number } & Salted)
  | ({ is: "scrypt"; cost: number; blockSize: number; parallelism: number } & Salted)
  /** Firebase's: the tag is the signer key, encrypted with what scrypt makes of the password. */
  | ({ is: "fbscrypt"; cost: number; blockSize: number; signerKey: Buffer } & Salted)
  | ({ is: "pbkdf2"; digest: "sha256" | "sha512"; rounds: number } & Salted);

interface Salted {
  salt: Buffer;
  tag: Buffer;
}

const base64 = "([A-Za-z0-9+/]{1,172}={0,2})";
const saltAndTag = `\\$${base64}\\$${base64}$`;

/** One form of a stored text, and what it says: undefined where the work would be absurd, or none. */
interface Form {
  shape: RegExp;
  read: (parts: string[]) => ForeignHash | undefined;
}

const bytes = (text = ""): Buffer => Buffer.from(text, "base64");
const salted = (salt?: string, tag?: string): Salted => ({ salt: bytes(salt), tag: bytes(tag) });
const isWithin = (value: number, least: number, most: number): boolean => value >= least && value <= most;

/** scrypt takes 128 times the product of cost and block size in bytes: from 1 to 64 MiB of them. */
const isSaneScrypt = (cost: number, blockSize: number, parallelism: number): boolean =>
  isWithin(cost * blockSize * 128, 2 ** 20, 2 ** 26) && blockSize >= 1 && isWithin(parallelism, 1, 4);

const forms: Form[] = [
  {
    shape: /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/,
    read: ([text = "", cost]) => (isWithin(Number(cost), 4, 13) ? { is: "bcrypt", text } : undefined),
  },
  {
    shape: new RegExp(`^\\$(argon2id?)\\$v=19\\$m=(\\d{1,7}),t=(\\d{1,3}),p=(\\d{1,2})${saltAndTag}`),
    read([, is, m, t, p, salt, tag]) {
      const [memory, passes, parallelism] = [Number(m), Number(t), Number(p)];
      const isSane =
        isWithin(passes, 1, 10) && isWithin(parallelism, 1, 4) && isWithin(memory, 8 * parallelism, 262_144);
      const hash = { is: is as "argon2i", memory, passes, parallelism, ...salted(salt, tag) };
      // RFC 9106, 3.1.
      return isSane && hash.salt.length >= 8 && hash.tag.length >= 4 ? hash : undefined;
    },
  },
  {
    shape: new RegExp(`^\\$scrypt\\$ln=(\\d{1,2}),r=(\\d{1,2}),p=(\\d)${saltAndTag}`),
    read([, ln, r, p, salt, tag]) {
      const [cost, blockSize, parallelism] = [2 ** Number(ln), Number(r), Number(p)];
      if (!isSaneScrypt(cost, blockSize, parallelism)) return undefined;
      return { is: "scrypt", cost, blockSize, parallelism, ...salted(salt, tag) };
    },
  },
  {
    shape: new RegExp(
      `^\\$fbscrypt\\$v=1,n=(\\d{1,2}),r=(\\d{1,2}),p=1,ss=${base64},sk=${base64}${saltAndTag}`,
    ),
    read([, n, r, separator, signerKey, salt, tag]) {
      const [cost, blockSize] = [2 ** Number(n), Number(r)];
      if (!isSaneScrypt(cost, blockSize, 1)) return undefined;
      const whole = Buffer.concat([bytes(salt), bytes(separator)]);
      return { is: "fbscrypt", cost, blockSize, signerKey: bytes(signerKey), salt: whole, tag: bytes(tag) };
    },
  },
  {
    shape: new RegExp(`^\\$pbkdf2-(sha256|sha512)\\$i=(\\d{1,7})${saltAndTag}`),
    read: ([, digest, rounds, salt, tag]) =>
      isWithin(Number(rounds), 10_000, 2_000_000)
        ? { is: "pbkdf2", digest: digest as "sha256", rounds: Number(rounds), ...salted(salt, tag) }
        : undefined,
  },
];

/** A shorter tag is guessed by chance. */
const minTagLength = 16;

/**
 * Reads the stored hash of another system: bcrypt, argon2 with any salt, scrypt, Firebase's scrypt, PBKDF2. Undefined if it is
 * none, or demands too little or absurdly much work: it is never computed.
 */
export function parseForeignHash(text: string): ForeignHash | undefined {
  if (text.length > 600) return undefined;
  for (const { shape, read } of forms) {
    const parts = shape.exec(text);
    if (!parts) continue;
    const hash = read(parts);
    return hash && ("tag" in hash ? hash.tag.length >= minTagLength : true) ? hash : undefined;
  }
  return undefined;
}
