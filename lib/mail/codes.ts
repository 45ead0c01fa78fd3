import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { KeyedHash } from "../tokens/keyed-hash.ts";
import type { CodeKind, MailKind, TokenKind } from "./kinds.ts";

// Nothing that logs anybody in is stored. A challenge is the id of an item and a seal, and goes to whoever asks; a code
// goes by mail. Both are keyed hashes of the id: the seal under the hash keys, which everybody has who asks, the code under
// the code keys, which only those have who send and who take it.

/** Crockford's base32: no I, L, O, U. */
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const codeLength = 9;
/** 16 bytes, base64url, and a MAC of the same length. */
const sealed = /^([\w-]{21}[AQgw])\.([\w-]{22})$/;
const macLength = 22;

/** What the id of a mail is made for: whoever writes it over with another address has no code for that. */
interface Addressed {
  kind: MailKind;
  /** Normalised. */
  email: string;
}

/** The part of an id that is chance, or names the mail; the other ten bytes follow from it, the kind and the address. */
const nameLength = 6;

/** Makes the id of a mail: 16 bytes, base64url. */
export const createMailId = (to: Addressed): string => toId(randomBytes(nameLength), to);

/** The id of a mail that there is only one of to this address, from a text that names it. */
export const deriveMailId = (text: string, to: Addressed): string =>
  toId(sha256(text).subarray(0, nameLength), to);

/** The part of an id that the log may hold: the rest would tell whoever guesses an address that it is the one. */
export const nameOf = (id: string): string => id.slice(0, (nameLength * 4) / 3);

/** Answers whether an id was made for a mail of this kind to this address. */
const isIdOf = ({ id, ...to }: Addressed & { id: string }): boolean =>
  toId(Buffer.from(id, "base64url").subarray(0, nameLength), to) === id;

function toId(name: Buffer, { kind, email }: Addressed): string {
  const bound = sha256(`${name.toString("hex")}:${kind}:${email}`).subarray(0, 16 - nameLength);
  return Buffer.concat([name, bound]).toString("base64url");
}

const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest();

/** The first character of a code, which is public: the first five bits of the id. */
export function codeBegins(id: string): string {
  return alphabet[(Buffer.from(id, "base64url")[0] ?? 0) >> 3] ?? "";
}

/** A code as it was typed, in the form in which it is compared; undefined if it is none. */
export function parseCode(text: string): string | undefined {
  if (text.length > 64) return undefined;
  const typed = text.normalize("NFKC").replace(/[\s\p{Pd}]/gu, "");
  // Looked at before the case is changed: ß would become two letters.
  if (!/^[0-9A-Za-z]{9}$/.test(typed)) return undefined;
  const code = typed.toUpperCase().replaceAll("O", "0").replace(/[IL]/g, "1");
  return code.includes("U") ? undefined : code;
}

/** A code as people read it: `K4M-XQ2-T9W`. */
export const formatCode = (code: string): string => code.replace(/(?<=^(?:.{3}){1,2})(?=.)/g, "-");

/** What goes to whoever asks for a code. Every function throws AppError `unavailable` without a hash key. */
export type Challenges = ReturnType<typeof createChallenges>;

/** Makes challenges: `<id>.<seal>`, under the hash keys. */
export function createChallenges(keyedHash: Pick<KeyedHash, "hash" | "hashes">) {
  const macs = createMacs(keyedHash, "challenge");
  return {
    /** The challenge for the item with this id. */
    issue: (kind: CodeKind, id: string): Promise<string> => macs.issue(kind, id),
    /** The id in a challenge; undefined if we did not make it, or made it for another kind. */
    open: (kind: CodeKind, challenge: string): Promise<string | undefined> => macs.open(kind, challenge),
  };
}

/** What is mailed. Every function throws AppError `unavailable` without a code key. */
export type Codes = ReturnType<typeof createCodes>;

/** Makes codes and tokens under the code keys. */
export function createCodes(keyedHash: Pick<KeyedHash, "hash" | "hashes">) {
  const tokens = createMacs(keyedHash, "mail token");
  const label = (kind: CodeKind, id: string) => `mail code:${kind}:${id}`;

  return {
    /** The code for an item: the same one, however often it is asked for. */
    async derive({ kind, id, createdAt }: Derived<CodeKind>): Promise<string> {
      return toCode(id, await keyedHash.hash(label(kind, id), createdAt));
    },

    /** Answers whether a mail is to whom, and for what, its code or token was made. */
    isOf: ({ id, kind, email }: Addressed & { id: string }): boolean => isIdOf({ id, kind, email }),

    /** Answers whether a code is the one for an item, under any key that still verifies; in constant time. */
    async isRight(kind: CodeKind, id: string, code: string): Promise<boolean> {
      const hashes = await keyedHash.hashes(label(kind, id));
      return hashes.filter((hash) => isSame(toCode(id, hash), code)).length > 0;
    },

    /** The token for an item: `<id>.<MAC>`. It is good wherever it is used. */
    deriveToken({ kind, id, createdAt }: Derived<TokenKind>): Promise<string> {
      return tokens.issue(kind, id, createdAt);
    },

    /** The id in a token; undefined if we did not make it, or made it for another kind. */
    openToken: (kind: TokenKind, token: string): Promise<string | undefined> => tokens.open(kind, token),
  };
}

interface Derived<Kind> {
  kind: Kind;
  id: string;
  /** Which key it is made with, epoch seconds. */
  createdAt: number;
}

/** Ids with a MAC behind them. */
function createMacs({ hash, hashes }: Pick<KeyedHash, "hash" | "hashes">, label: string) {
  const labelOf = (kind: string, id: string) => `${label}:${kind}:${id}`;
  return {
    async issue(kind: string, id: string, createdAt?: number): Promise<string> {
      return `${id}.${(await hash(labelOf(kind, id), createdAt)).slice(0, macLength)}`;
    },
    async open(kind: string, text: string): Promise<string | undefined> {
      const [, id = "", mac = ""] = sealed.exec(text) ?? [];
      if (id === "") return undefined;
      const genuine = (await hashes(labelOf(kind, id))).map((hash) => hash.slice(0, macLength));
      return genuine.filter((each) => isSame(each, mac)).length > 0 ? id : undefined;
    },
  };
}

/** The public character, and 40 bits of the hash. */
function toCode(id: string, hash: string): string {
  const bits = Buffer.from(hash, "base64url").readUIntBE(0, 5);
  const secret = Array.from(
    { length: codeLength - 1 },
    (_, place) => alphabet[Math.floor(bits / 32 ** place) % 32],
  );
  return codeBegins(id) + secret.join("");
}

function isSame(genuine: string, presented: string): boolean {
  const [a, b] = [Buffer.from(genuine), Buffer.from(presented)];
  return a.length === b.length && timingSafeEqual(a, b);
}
