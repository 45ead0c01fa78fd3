import { createPublicKey, type JsonWebKey } from "node:crypto";
import { PasskeyError } from "./passkey-error.ts";

/** The algorithms of passkeys, by their COSE numbers (IANA), best first: Ed25519, ES256, RS256. */
export const passkeyAlgorithms = [-8, -7, -257] as const;

/** The public key of a passkey. */
export interface PasskeyKey {
  alg: (typeof passkeyAlgorithms)[number];
  /** SPKI, base64url. */
  publicKey: string;
}

/** How the members of a COSE key (RFC 9053, 7; RFC 8230, 4) stand in a JWK. */
const kinds = {
  [-8]: {
    fixed: new Map([labelled(1, 1), labelled(-1, 6)]),
    jwk: { kty: "OKP", crv: "Ed25519" },
    members: { x: -2 },
  },
  [-7]: {
    fixed: new Map([labelled(1, 2), labelled(-1, 1)]),
    jwk: { kty: "EC", crv: "P-256" },
    members: { x: -2, y: -3 },
  },
  [-257]: { fixed: new Map([labelled(1, 3)]), jwk: { kty: "RSA" }, members: { n: -1, e: -2 } },
} as const;

const exponent = "AQAB"; // 65537
const [minRsaBits, maxRsaBits] = [2048, 4096];

function labelled(label: number, value: number) {
  return [label, value] as const;
}

/**
 * Reads a COSE key that CBOR decoded: one of the algorithms we offer, on its curve, of its size. Throws PasskeyError.
 */
export function parseCoseKey(key: unknown): PasskeyKey {
  if (!(key instanceof Map)) throw new PasskeyError("public key refused");
  const alg = passkeyAlgorithms.find((number) => number === key.get(3));
  if (alg === undefined) throw new PasskeyError("public key refused");
  const { fixed, jwk, members } = kinds[alg];
  for (const [label, value] of fixed)
    if (key.get(label) !== value) throw new PasskeyError("public key refused");
  const values = Object.entries(members).map(([name, label]) => [name, toBase64url(key.get(label))]);
  return { alg, publicKey: importKey({ ...jwk, ...Object.fromEntries(values) }) };
}

function toBase64url(member: unknown): string {
  if (!(member instanceof Uint8Array)) throw new PasskeyError("public key refused");
  return Buffer.from(member).toString("base64url");
}

function importKey(jwk: JsonWebKey): string {
  try {
    const key = createPublicKey({ key: jwk, format: "jwk" });
    const bits = key.asymmetricKeyDetails?.modulusLength ?? minRsaBits;
    const isRsaRefused = jwk.kty === "RSA" && jwk.e !== exponent;
    // Whatever is longer or shorter than the key it says it is comes out as another text.
    const isSame = Object.entries(jwk).every(
      ([name, value]) => key.export({ format: "jwk" })[name] === value,
    );
    if (!isRsaRefused && isSame && bits >= minRsaBits && bits <= maxRsaBits)
      return key.export({ format: "der", type: "spki" }).toString("base64url");
  } catch {
    // Off the curve, or no key at all.
  }
  throw new PasskeyError("public key refused");
}
