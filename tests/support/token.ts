import { createHmac, createPrivateKey, type JsonWebKeyInput, type KeyObject, sign } from "node:crypto";
import { createKey, type TestKey } from "./keys.ts";

/** Makes the signature of a JWS over its first two segments. */
export type Signer = (input: Buffer) => Buffer;

/** Signs with a private key, by the key's own algorithm (RFC 7518). */
export function signerOf(jwk: TestKey): Signer {
  const key = createPrivateKey({ key: jwk, format: "jwk" } as JsonWebKeyInput);
  const digest = jwk.alg === "EdDSA" ? null : "sha256";
  return (input) => sign(digest, input, { key, dsaEncoding: "ieee-p1363" });
}

/** Signs like an attacker: with a key of their own. */
export function foreignSigner(alg: TestKey["alg"]): Signer {
  return signerOf(createKey(alg));
}

export const hmac =
  (secret: Buffer | string): Signer =>
  (input) =>
    createHmac("sha256", secret).update(input).digest();

/** Builds a compact JWS. An object is serialised as JSON; a text or bytes stand as they are. */
export function buildToken(header: unknown, claims: unknown, signer: Signer): string {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${signer(Buffer.from(input)).toString("base64url")}`;
}

export function encode(value: unknown): string {
  const isRaw = typeof value === "string" || Buffer.isBuffer(value);
  return Buffer.from(isRaw ? (value as string) : JSON.stringify(value)).toString("base64url");
}

/** The forms in which a public key may be mistaken for an HMAC secret. */
export function secretsOf(publicKey: KeyObject): Buffer[] {
  const pem = publicKey.export({ format: "pem", type: "spki" }).toString();
  const jwk = publicKey.export({ format: "jwk" });
  return [
    Buffer.from(pem),
    Buffer.from(pem.trimEnd()),
    publicKey.export({ format: "der", type: "spki" }),
    Buffer.from(JSON.stringify(jwk)),
    Buffer.from(jwk.x ?? "", "base64url"),
    Buffer.from(jwk.y ?? "", "base64url"),
    Buffer.from(jwk.x ?? ""),
  ];
}

/** The other texts that a lenient decoder reads as the same bytes: those with spare bits in their last letter. */
export function spareBits(text: string, bits: number): string[] {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = alphabet.indexOf(text.at(-1) ?? "");
  return [...alphabet.slice(last + 1, last + 2 ** bits)].map((letter) => text.slice(0, -1) + letter);
}
