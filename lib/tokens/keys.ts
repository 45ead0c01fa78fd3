import { type CryptoKey, importJWK, type JWK } from "jose";
import { findLifeFaults, type KeyLife, parseKeySet } from "./key-set.ts";
import type { KeySource } from "./key-source.ts";
import { isRocaModulus } from "./roca.ts";

/** The signature algorithms that keys may have (RFC 7518, RFC 8037), and what such a key looks like. */
const algorithms = {
  EdDSA: { kty: "OKP", crv: "Ed25519", members: ["x"] },
  ES256: { kty: "EC", crv: "P-256", members: ["x", "y"] },
  RS256: { kty: "RSA", crv: undefined, members: ["n", "e"] },
} as const;

/** An algorithm that tokens may be signed with. */
export type Algorithm = keyof typeof algorithms;

/** All of them. */
export const algorithmNames = Object.keys(algorithms) as Algorithm[];

/** A public or private JWK (RFC 7517) of ours: `kid` and `alg` are required. Only private keys have a life. */
export interface OurJwk extends JWK, KeyLife {
  kid: string;
  alg: Algorithm;
}

/** A key ready for verifying. */
export interface VerificationKey {
  alg: Algorithm;
  key: CryptoKey;
}

/** A key ready for signing. */
export interface SigningKey extends VerificationKey {
  kid: string;
  activeFrom: number;
}

/** Where the functions that sign get their keys from. */
export type SigningKeys = KeySource<SigningKey>;

/** No two keys have these in common. */
const material = ["x", "y", "n"] as const;
const privateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
const minRsaBits = 2048;

// Two functions, so that who only verifies does not carry what is checked of private keys.

/** Parses a JWK set (RFC 7517, section 5) of public keys. Throws TypeError that lists everything wrong with it. */
export function parsePublicKeySet(text: string): OurJwk[] {
  const findOwn = (jwk: JWK) =>
    privateMembers.some((name) => name in jwk) ? ["holds a private member"] : [];
  return parseKeySet(text, (jwk) => findFaults(jwk, "verify", findOwn), material) as OurJwk[];
}

/** Parses a JWK set of private keys. Throws TypeError that lists everything wrong with it. */
export function parsePrivateKeySet(text: string): OurJwk[] {
  const findOwn = ({ d }: JWK) => (typeof d === "string" ? [] : ["d missing: not a private key"]);
  return parseKeySet(text, (jwk) => findFaults(jwk, "sign", findOwn), material, findLifeFaults) as OurJwk[];
}

function findFaults(jwk: JWK, operation: "verify" | "sign", findOwn: (jwk: JWK) => string[]): string[] {
  if (typeof jwk.alg !== "string" || !Object.hasOwn(algorithms, jwk.alg)) {
    return [`alg must be one of ${algorithmNames.join(", ")}`];
  }
  const faults: string[] = [];
  const { kty, crv, members } = algorithms[jwk.alg as Algorithm];
  if (jwk.kty !== kty || jwk.crv !== crv)
    faults.push(`${jwk.alg} needs kty ${kty}${crv ? ` and crv ${crv}` : ""}`);
  if (!members.every((name) => typeof jwk[name] === "string"))
    faults.push(`${members.join(" and ")} missing`);
  if (jwk.alg === "RS256") {
    if (bitsOf(jwk.n) < minRsaBits || bitsOf(jwk.e) < 17) {
      faults.push(`an RSA key needs at least ${minRsaBits} bits and the exponent 65537`);
    }
    if (isRocaModulus(numberOf(jwk.n))) faults.push("the RSA key can be factored (CVE-2017-15361)");
  }
  if (jwk.use !== undefined && jwk.use !== "sig") faults.push("use must be sig");
  if (jwk.key_ops !== undefined && !(Array.isArray(jwk.key_ops) && jwk.key_ops.includes(operation)))
    faults.push(`key_ops must allow ${operation}`);
  return [...faults, ...findOwn(jwk)];
}

/** The length of a number, in bits. */
function bitsOf(member: unknown): number {
  const number = numberOf(member);
  return number === 0n ? 0 : number.toString(2).length;
}

/** A big-endian number in base64url (RFC 7518, section 2); 0 if it is none. */
function numberOf(member: unknown): bigint {
  const bytes = Buffer.from(typeof member === "string" ? member : "", "base64url");
  return BigInt(`0x0${bytes.toString("hex")}`);
}

/** The public half of a key as it is published (RFC 7517): public members, `kid`, `alg`, `use` and nothing else. */
export function toPublicJwk({ kid, alg, ...jwk }: OurJwk): OurJwk {
  const { kty, crv, members } = algorithms[alg];
  const values = members.map((name) => [name, jwk[name]]);
  return { kty, ...(crv && { crv }), ...Object.fromEntries(values), kid, alg, use: "sig" };
}

/** Lists the kids of signing keys that verifiers do not know. */
export function findUnpublishedKids(signing: OurJwk[], published: OurJwk[]): string[] {
  const known = new Map(published.map((jwk) => [jwk.kid, jwk]));
  const isSame = (jwk: OurJwk, other: OurJwk | undefined) =>
    other?.alg === jwk.alg && algorithms[jwk.alg].members.every((name) => other[name] === jwk[name]);
  return signing.filter((jwk) => !isSame(jwk, known.get(jwk.kid))).map(({ kid }) => kid);
}

/** Imports public keys, by `kid`. A Map: `__proto__` is no key id. */
export async function importVerificationKeys(jwks: OurJwk[]): Promise<ReadonlyMap<string, VerificationKey>> {
  const entries = jwks.map(async (jwk) => [jwk.kid, { alg: jwk.alg, key: await importKey(jwk) }] as const);
  return new Map(await Promise.all(entries));
}

/** Imports the private keys that have been promoted to signing. */
export function importSigningKeys(jwks: OurJwk[]): Promise<SigningKey[]> {
  const promoted = jwks.flatMap(({ activeFrom, ...jwk }) =>
    activeFrom === undefined ? [] : [{ activeFrom, jwk }],
  );
  return Promise.all(
    promoted.map(async ({ activeFrom, jwk }) => ({
      kid: jwk.kid,
      alg: jwk.alg,
      activeFrom,
      key: await importKey(jwk),
    })),
  );
}

async function importKey(jwk: OurJwk): Promise<CryptoKey> {
  const { key_ops, ...members } = jwk;
  try {
    return (await importJWK(members, jwk.alg)) as CryptoKey;
  } catch (error) {
    throw new TypeError(`the key ${jwk.kid} is not valid`, { cause: error });
  }
}
