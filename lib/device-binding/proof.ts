import { decodeJwt, EmbeddedJWK, errors, importJWK, jwtVerify } from "jose";
import { parseBase64url } from "../base64url.ts";
import type { DeviceKey } from "./challenge.ts";

/** What is asked of every proof (W3C Device Bound Session Credentials, 8.1; ES256 alone). */
const rules = { algorithms: ["ES256"], typ: "dbsc+jwt" };
const maxLength = 2_048;
const coordinateLength = 32;

/** A proof that a browser has made with a key of its own, which stands in it. */
export interface NewKeyProof {
  key: DeviceKey;
  /** The challenge that was signed. */
  challenge: string;
}

/** Reads the first proof of a browser, signed by the key in its header; undefined for anything else. */
export async function parseNewKeyProof(proof: string): Promise<NewKeyProof | undefined> {
  if (proof.length > maxLength) return undefined;
  const verified = await jwtVerify(proof, EmbeddedJWK, rules).catch(refuse);
  const key = verified && toDeviceKey(verified.protectedHeader.jwk ?? {});
  const challenge = verified?.payload.jti;
  return key !== undefined && challenge !== undefined ? { key, challenge } : undefined;
}

/** The challenge that a proof says it signs; nothing is known to be true of it. */
export function findChallenge(proof: string): string | undefined {
  try {
    const { jti } = proof.length > maxLength ? {} : decodeJwt(proof);
    return typeof jti === "string" ? jti : undefined;
  } catch {
    return undefined;
  }
}

/** Answers whether a proof is signed by this key. */
export async function isSignedBy(key: DeviceKey, proof: string): Promise<boolean> {
  const bytes = Buffer.from(key, "base64url");
  const [x, y] = [bytes.subarray(0, coordinateLength), bytes.subarray(coordinateLength)];
  const jwk = { kty: "EC", crv: "P-256", x: x.toString("base64url"), y: y.toString("base64url") };
  return Boolean(await jwtVerify(proof, await importJWK(jwk, "ES256"), rules).catch(refuse));
}

function toDeviceKey({ x, y }: { x?: string; y?: string }): DeviceKey | undefined {
  const coordinates = [parseBase64url(x), parseBase64url(y)].filter((bytes) => bytes !== undefined);
  const isWhole = coordinates.length === 2 && coordinates.every(({ length }) => length === coordinateLength);
  return isWhole ? Buffer.concat(coordinates).toString("base64url") : undefined;
}

/** Whatever jose or WebCrypto finds wrong with what a browser sent is a refusal, and no fault of ours. */
function refuse(error: unknown): undefined {
  if (error instanceof errors.JOSEError || error instanceof DOMException || error instanceof TypeError)
    return;
  throw error;
}
